import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SourceFormat } from '#domain/source-format.js';
import { SOURCE_FORMATS } from '#domain/source-format.js';
import { RegistryError } from '#domain/registry-error.js';
import { readFileFully, server, toolhive, upstream } from '../testing/catalogue-file.js';
import type { ReadResult } from '../testing/catalogue-file.js';
import { serverJsonSchema } from './server-json.js';

/** `FUZZ_SEED` repeats a run, `FUZZ_RUNS` makes the run longer. */
const SEED = Number(process.env['FUZZ_SEED'] ?? 20261122);
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 5_000);

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'catalogue-fuzz-'));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

it(
  `reads ${RUNS} valid, mutated and hostile files without surprise (seed ${SEED})`,
  { timeout: 60_000 + RUNS * 60 },
  async () => {
    const outcomes = { served: 0, quarantined: 0, refused: 0 };
    for (let run = 0; run < RUNS; run++) {
      const random = new Random(SEED + run);
      const content = makeFile(random);
      const path = join(directory, 'registry.json');
      await writeFile(path, content);
      for (const format of SOURCE_FORMATS) {
        const about = `FUZZ_SEED=${SEED + run} FUZZ_RUNS=1, format ${format}`;
        const result = await read(path, format);
        if (result instanceof RegistryError) {
          outcomes.refused++;
          expect(['InvalidData', 'FormatMismatch'], about).toContain(result.reason);
          expect(isStorable(result.message), about).toBe(true);
          continue;
        }
        assertServable(result, about);
        outcomes.served += result.entries.length;
        outcomes.quarantined += result.quarantined.length;
      }
    }
    // A generator that produces only one kind of file would prove nothing.
    if (RUNS >= 1_000) for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(RUNS / 4);
  },
);

async function read(path: string, format: SourceFormat): Promise<ReadResult | RegistryError> {
  try {
    return await readFileFully(path, format, { maxEntryBytes: 20_000, maxEntries: 500 });
  } catch (error) {
    if (error instanceof RegistryError) return error;
    throw error;
  }
}

function assertServable({ entries, quarantined }: ReadResult, about: string): void {
  const seen = new Set<string>();
  for (const entry of entries) {
    const parsed = serverJsonSchema.safeParse(JSON.parse(entry.serverJson));
    expect(parsed.success, about).toBe(true);
    expect(parsed.data, about).toMatchObject({
      name: entry.name,
      version: entry.version,
      description: entry.description,
    });
    assertHoldable(JSON.parse(entry.serverJson), about);
    for (const text of [entry.key, entry.serverJson, entry.description, entry.title ?? '', ...entry.tags]) {
      expect(isStorable(text), about).toBe(true);
    }
    seen.add(`${entry.name}\n${entry.version}`);
  }
  expect(seen.size, about).toBe(entries.length);
  for (const { key, name = '', version = '', path, message } of quarantined) {
    expect(message, about).not.toBe('');
    for (const text of [key, name, version, path, message]) {
      expect(isStorable(text) && text.length < 2_000, about).toBe(true);
    }
  }
}

/** Asserts that a parsed entry can be stored unchanged: well-formed strings and finite numbers. */
function assertHoldable(value: unknown, about: string): void {
  if (typeof value === 'string') expect(isStorable(value), about).toBe(true);
  if (typeof value === 'number') expect(Number.isFinite(value), about).toBe(true);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    expect(isStorable(key), about).toBe(true);
    assertHoldable(member, about);
  }
}

/** Returns whether Postgres can store the string as text: Unicode without NUL. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** mulberry32: small, and with the same results on every platform. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}

function makeFile(random: Random): Buffer {
  const document = random.chance(50) ? makeUpstream(random) : makeToolhive(random);
  let text = JSON.stringify(document, null, random.pick([0, 0, 2, '\t']));
  if (random.chance(50)) text = text.replace(/"HOSTILE"/g, () => random.pick(HOSTILE_JSON));
  let bytes: Buffer = Buffer.from(text);
  if (random.chance(40)) for (let count = 1 + random.below(4); count > 0; count--) bytes = mutate(bytes, random);
  return bytes;
}

const NAMES = ['com.example/a', 'com.example/b', 'io.github.x/y_z', 'no-slash', 'a/b/c', '', '-/-', 'é/x', '../..'];
const VERSIONS = ['1.0.0', '2.0.0-rc.1', 'latest', '^1', '1.x', '', '2026.1', '😀', '..'];
const HOSTILE_JSON = [
  '1e999',
  '-0',
  '"\\ud800"',
  '"\\u0000"',
  '"\\uD83D\\uDE00"',
  '{"a":1,"a":2}',
  '{"__proto__":{"x":1}}',
  '['.repeat(100) + ']'.repeat(100),
  '['.repeat(30) + ']'.repeat(30),
  '"' + 'x'.repeat(30_000) + '"',
  '12345678901234567890.5e-3',
  '"\\"]}"',
  '{"constructor":null,"toString":[]}',
];

function anything(random: Random, depth = 0): unknown {
  const simple = [
    '',
    'text',
    'é😀',
    'https://example.com/mcp',
    0,
    -1,
    1.5,
    1e300,
    true,
    null,
    'HOSTILE',
    'HOSTILE',
    'HOSTILE',
    {},
    [],
  ];
  if (depth > 3 || random.chance(70)) return random.pick(simple);
  if (random.chance(50)) return Array.from({ length: random.below(4) }, () => anything(random, depth + 1));
  const keys = ['type', 'name', 'url', 'tags', 'status', '__proto__', 'x', '10', '9'];
  return Object.fromEntries(
    Array.from({ length: random.below(4) }, () => [random.pick(keys), anything(random, depth + 1)]),
  );
}

/** Returns the good value most of the time, otherwise something else. */
function mostly(random: Random, good: unknown): unknown {
  return random.chance(92) ? good : anything(random);
}

function makeUpstream(random: Random): unknown {
  const servers = Array.from({ length: random.below(8) }, () => {
    const fields = server({
      name: mostly(random, random.chance(60) ? `com.example/s${random.below(9)}` : random.pick(NAMES)),
      version: mostly(random, random.chance(60) ? '1.0.0' : random.pick(VERSIONS)),
      description: mostly(random, 'Does something'),
    });
    if (random.chance(40)) {
      fields['packages'] = mostly(random, [
        {
          registryType: mostly(random, 'npm'),
          identifier: mostly(random, 'x'),
          transport: mostly(random, { type: random.pick(['stdio', 'sse', 'pigeon']), url: mostly(random, 'http://x') }),
          environmentVariables: mostly(random, [{ name: mostly(random, 'A'), isSecret: mostly(random, true) }]),
        },
      ]);
    }
    if (random.chance(30))
      fields['remotes'] = mostly(random, [{ type: 'sse', url: mostly(random, 'https://x.example') }]);
    if (random.chance(30))
      fields['_meta'] = mostly(random, { 'io.modelcontextprotocol.registry/publisher-provided': anything(random) });
    if (random.chance(50)) fields['extra'] = anything(random);
    return mostly(random, fields);
  });
  const document = upstream(...servers);
  return random.chance(90)
    ? document
    : { ...document, [random.pick(['version', 'meta', 'data', 'extra'])]: anything(random) };
}

function makeToolhive(random: Random): unknown {
  const key = () =>
    random.chance(70) ? `server-${random.below(9)}` : random.pick([...NAMES, '__proto__', 'a\0b', '\ud800']);
  const common = () => ({
    description: mostly(random, 'Does something'),
    tags: mostly(random, ['a']),
    status: mostly(random, random.pick(['Active', 'Deprecated'])),
    tools: mostly(random, ['t']),
    ...(random.chance(20) ? { name: mostly(random, random.pick(NAMES)) } : {}),
    ...(random.chance(40) ? { custom_metadata: { x: anything(random) } } : {}),
  });
  const image = () => ({ ...common(), image: mostly(random, 'ghcr.io/x/y:1'), transport: mostly(random, 'stdio') });
  const remote = () => ({
    ...common(),
    url: mostly(random, 'https://x.example/mcp'),
    transport: mostly(random, 'sse'),
  });
  const many = (make: () => unknown) =>
    Object.fromEntries(Array.from({ length: random.below(6) }, () => [key(), mostly(random, make())]));
  const document = toolhive(many(image), random.chance(50) ? many(remote) : undefined);
  if (random.chance(90)) return document;
  return { ...document, [random.pick(['version', 'servers', 'remote_servers', 'last_updated'])]: anything(random) };
}

function mutate(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + random.below(20));
  const insert = (middle: Buffer) => Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(at)]);
  switch (random.below(8)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    case 2:
      return insert(Buffer.from([random.below(256)]));
    case 3:
      return insert(
        Buffer.from(random.pick(['{', '}', '[', ']', '"', ',', ':', '\\', '\\u', '\0', '\uFEFF', ...HOSTILE_JSON])),
      );
    case 4:
      return insert(bytes.subarray(at, end));
    case 5:
      return Buffer.from(bytes.toString('utf8'), random.pick(['latin1', 'utf16le']));
    case 6:
      return insert(Buffer.from('{"a":'.repeat(random.below(2_000))));
    default: {
      const flipped = Buffer.from(bytes);
      if (at < flipped.length) flipped[at] = (flipped[at] as number) ^ (1 << random.below(8));
      return flipped;
    }
  }
}
