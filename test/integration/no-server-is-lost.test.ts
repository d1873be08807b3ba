import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import type { EntryCounts } from '#domain/sync.js';
import { createDataSource } from '#persistence/database.js';
import { publishRevision } from '#persistence/publish-revision.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import { readCatalogue } from '#sources/formats/read-catalogue.js';
import { createTestDatabase } from '#support/database.js';
import { pagesOf, publishPages } from '#support/publish-pages.js';
import type { TestDatabase } from '#support/database.js';

type Format = 'upstream' | 'toolhive' | 'toolhive remotes' | 'api' | Folder;

/** Formats in which a catalogue is spread over several files. */
type Folder = 'upstream files' | 'toolhive files';

let database: TestDatabase;
let dataSource: DataSource;
let client: pg.Client;
let stageClient: pg.Client;
let directory: string;
const registry = { namespace: 'test', name: 'r', uid: randomUUID() };

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await createDataSource(database.app, { maxConnections: 1, onError: () => undefined }).initialize();
  client = new pg.Client(database.app);
  stageClient = new pg.Client(database.app);
  await Promise.all([client.connect(), stageClient.connect()]);
  directory = await mkdtemp(join(tmpdir(), 'no-server-is-lost-'));
});

afterAll(async () => {
  await Promise.all([client?.end(), stageClient?.end()]);
  await dataSource?.destroy();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

const formatOf = (format: Format) => (format.startsWith('toolhive') ? 'toolhive' : 'upstream');
const isFolder = (format: Format) => format.endsWith('files');

/** Starts with an empty source. */
async function begin(format: Format): Promise<void> {
  const plan = {
    name: 's',
    type: 'git',
    address: 'x',
    format: formatOf(format),
    specHash: 'a',
    filterHash: 'b',
  } as const;
  const catalogue = new RegistryCatalogue(dataSource);
  await catalogue.adoptPlan(registry, null, []);
  await catalogue.adoptPlan(registry, null, [plan]);
}

/** Publishes a catalogue like a sync. Returns undefined if the file as a whole is rejected. */
async function publish(content: readonly Buffer[], format: Format): Promise<EntryCounts | undefined> {
  const publishing =
    format === 'api' ? publishPages(client, stageClient, registry, content) : publishFile(content[0], format);
  return publishing.catch((error: Error) => {
    if (error.name !== 'RegistryError') throw error;
    return undefined;
  });
}

async function publishFile(content: Buffer = Buffer.alloc(0), format: Format): Promise<EntryCounts> {
  const file = join(directory, 'registry.json');
  await writeFile(file, content);
  const { counts } = await publishRevision(client, {
    registry,
    source: 's',
    revision: 'r',
    contentHash: randomUUID(),
    specHash: 'a',
    filterHash: 'b',
    readAlike: true,
    isWhole: true,
    hiddenBy: () => undefined,
    read: (claimKnown) =>
      readCatalogue(file, formatOf(format), { file: 'registry.json', maxFileBytes: 1e9, claimKnown }),
  });
  return counts;
}

async function rows(): Promise<{ id: string; document: string; updatedAt: number; generation: number }[]> {
  const { rows: found } = await client.query<{ id: string; document: string; updatedAt: number; generation: number }>(
    `SELECT entry.name || ' ' || version AS id, server_json AS document, extract(epoch FROM entry.updated_at)::float AS "updatedAt",
            generation::int AS generation
       FROM entry JOIN source ON source.id = source_id WHERE deleted_at IS NULL ORDER BY 1`,
  );
  return found;
}

const idsOf = (found: readonly { id: string }[]) => found.map(({ id }) => id);

interface Entry {
  readonly key: string;
  readonly text: string;
}

function entryOf(format: Format, index: number): Entry {
  const common = { description: `Server number ${index}`, title: `Server ${index}` };
  const value =
    formatOf(format) === 'upstream'
      ? { ...upstreamIdentity(format, index), ...common }
      : format === 'toolhive remotes'
        ? { ...common, url: `https://server-${index}.example.com`, transport: 'sse' }
        : { ...common, image: `ghcr.io/example/server-${index}:1`, transport: 'stdio' };
  return { key: `server-${index}${isFolder(format) ? '.json' : ''}`, text: JSON.stringify(value) };
}

/** Returns the name and version of an entry. In a single list, each two servers are versions of one name. */
function upstreamIdentity(format: Format, index: number): { name: string; version: string } {
  if (isFolder(format)) return { name: `com.example/server-${index}`, version: '1.0.0' };
  return { name: `com.example/server-${Math.floor(index / 2)}`, version: `1.${index % 2}.0` };
}

/** Returns the catalogue as a file, or as the pages of an API. */
function fileOf(format: Format, entries: readonly Entry[]): Buffer[] {
  return format === 'api'
    ? pagesOf(entries.map(({ text }) => `{"server":${text},"_meta":{}}`))
    : [oneFile(format, entries)];
}

function oneFile(format: Format, entries: readonly Entry[]): Buffer {
  if (isFolder(format)) {
    const files = entries.map(({ key, text }) => [key, Buffer.from(text, 'latin1').toString('base64')]);
    return Buffer.from(JSON.stringify({ bundledFiles: Object.fromEntries(files) }));
  }
  const around = (inner: string) =>
    format === 'upstream'
      ? `{"version":"1.0.0","meta":{"last_updated":"2026-01-01T00:00:00Z"},"data":{"servers":[${inner}]}}`
      : format === 'toolhive'
        ? `{"version":"1.0.0","last_updated":"2026-01-01T00:00:00Z","servers":{${inner}}}`
        : `{"version":"1.0.0","last_updated":"2026-01-01T00:00:00Z","servers":{},"remote_servers":{${inner}}}`;
  const texts = entries.map(({ key, text }) => (format === 'upstream' ? text : `${JSON.stringify(key)}:${text}`));
  // Encode as Latin-1, so that a fault can be a byte that is invalid in UTF-8.
  return Buffer.from(around(texts.join(',\n')), 'latin1');
}

const edit =
  (change: (value: Record<string, unknown>) => unknown) =>
  (text: string): string =>
    JSON.stringify(change(JSON.parse(text) as Record<string, unknown>));

const splice = (members: string) => (text: string) => `{${members},${text.slice(1)}`;
const append = (members: string) => (text: string) => `${text.slice(0, -1)},${members}}`;
const deep = `${'['.repeat(70)}${']'.repeat(70)}`;

const TEXT_FAULTS: Record<string, (text: string) => string> = {
  'a NUL': append('"x":"a\\u0000b"'),
  'half a character': append('"x":"a\\ud800b"'),
  'a field twice': append('"title":"again"'),
  'a number out of range': append('"x":1e999'),
  'a byte that is not UTF-8': append('"x":"\xff"'),
  'more than is read, at the end': append(`"x":"${'x'.repeat(1_100_000)}"`),
  'more than is read, at the beginning': splice(`"x":"${'x'.repeat(1_100_000)}"`),
  'too many levels': append(`"x":${deep}`),
  'too many levels, at the beginning': splice(`"x":${deep}`),
};

const SCHEMA_FAULTS: Record<string, (text: string) => string> = {
  'a title that is no text': edit((value) => ({ ...value, title: 5 })),
  'a new version with a fault': edit((value) => ({
    ...value,
    version: '1.1.0',
    title: 5,
    remotes: [{ type: 'http' }],
  })),
  'a version that is none': edit((value) => ({ ...value, version: 'latest', image: 5 })),
  'no description': edit((value) => ({ ...value, description: undefined })),
  'no version': edit((value) => ({ ...value, version: undefined, image: undefined })),
};

const NAME_FAULTS: Record<string, (text: string) => string> = {
  'null as a name': edit((value) => ({ ...value, name: null, image: null })),
  'a number as a name': edit((value) => ({ ...value, name: 5 })),
  'a name that is none': edit((value) => ({ ...value, name: 'not a name/at all' })),
  'a name without a slash': edit((value) => ({ ...value, name: 'github', image: 5, url: 5 })),
  'a NUL in the name': edit((value) => ({ ...value, name: 'com.example/a\0b' })),
  'a name that is not UTF-8': edit((value) => ({ ...value, name: 'com.example/a\xff' })),
  'no entry at all: null': () => 'null',
  'no entry at all: text': () => '"gone"',
  'no entry at all: a list': () => '[1,2]',
  'no entry at all: empty': () => '{}',
};

/** In a map, these are just other names, without a fault. The same is true if the copied entry has a fault itself. */
const COPY_FAULTS: Record<string, (text: string) => string> = {
  'the name and version of another': edit((value) => ({ ...value, name: 'com.example/server-0', version: '1.0.0' })),
  'the version of another': edit((value) => ({ ...value, version: '1.0.0' })),
  'a name twice': splice('"name":"com.example/other"'),
};

/**
 * A file that is not valid JSON does not affect other files. In a single file, it would make the whole file invalid.
 */
const BROKEN_FILES: Record<string, (text: string) => string> = {
  'half a file': (text) => text.slice(0, text.length / 2),
  'an empty file': () => '',
  'no JSON': () => 'name: com.example/server-1',
  'no JSON at the end': (text) => `${text}}`,
};

const FAULTS = { ...TEXT_FAULTS, ...SCHEMA_FAULTS, ...NAME_FAULTS };

const FORMATS: readonly Format[] = [
  'upstream',
  'toolhive',
  'toolhive remotes',
  'api',
  'upstream files',
  'toolhive files',
];

describe.each(FORMATS)('a catalogue in format %s', (format) => {
  const copies = formatOf(format) === 'upstream' ? COPY_FAULTS : {};
  const faultsHere = { ...FAULTS, ...(isFolder(format) && BROKEN_FILES) };

  it.each(Object.entries({ ...faultsHere, ...copies }))('loses no server because of %s', async (_, fault) => {
    await begin(format);
    const entries = [0, 1, 2].map((index) => entryOf(format, index));
    await publish(fileOf(format, entries), format);
    const before = await rows();
    expect(before).toHaveLength(3);
    await publish(
      fileOf(
        format,
        entries.map((entry, index) => (index === 1 ? { ...entry, text: fault(entry.text) } : entry)),
      ),
      format,
    );
    expect(idsOf(await rows())).toEqual(expect.arrayContaining(idsOf(before)));
  });

  it('loses no server because of any errors in entries', { timeout: 120_000 }, async () => {
    const faults = fc.array(fc.option(fc.constantFrom(...Object.keys(faultsHere)), { freq: 2 }), {
      minLength: 2,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(faults, async (names) => {
        await begin(format);
        const entries = names.map((_, index) => entryOf(format, index));
        await publish(fileOf(format, entries), format);
        const before = idsOf(await rows());
        const faulty = entries.map((entry, index) => {
          const fault = (faultsHere as typeof FAULTS)[names[index] ?? ''];
          return fault ? { ...entry, text: fault(entry.text) } : entry;
        });
        await publish(fileOf(format, faulty), format);
        expect(idsOf(await rows())).toEqual(expect.arrayContaining(before));
        await publish(fileOf(format, entries), format);
        expect(idsOf(await rows())).toEqual(before);
      }),
      { numRuns: 40 },
    );
  });

  it('still drops removed entries, next to an entry with an error', async () => {
    await begin(format);
    const entries = [0, 1, 2].map((index) => entryOf(format, index));
    const broken = {
      ...(entries[1] as Entry),
      text: edit((value) => ({ ...value, title: 5 }))((entries[1] as Entry).text),
    };
    await publish(fileOf(format, entries), format);
    const before = idsOf(await rows());
    expect(await publish(fileOf(format, [entries[0] as Entry, broken]), format)).toMatchObject({
      removed: 1,
      quarantined: 1,
    });
    expect(idsOf(await rows())).toEqual(before.slice(0, 2));
  });
});

/** Files that tools keep in a folder and that are not servers. */
const STRAYS: readonly Entry[] = [
  { key: 'renovate.json', text: '{}' },
  { key: 'docker-compose.yaml', text: 'services:\n  db: { image: postgres }\n' },
  { key: 'compose.yml', text: 'name: compose\nversion: "3"\n' },
  { key: 'broken.yaml', text: '}\n}\n' },
  { key: 'large.yml', text: '#'.repeat(70_000) },
  { key: 'schema.json', text: '{"$schema":"https://json-schema.org/draft-07/schema","description":"A server"}' },
  { key: 'tsconfig.json', text: '// no JSON' },
  { key: 'list.json', text: '[]' },
];

describe.each<Folder>(['upstream files', 'toolhive files'])('a catalogue of %s', (format) => {
  it('loses only what was deleted, whatever other files there are', { timeout: 120_000 }, async () => {
    const faults: Readonly<Record<string, (text: string) => string>> = { ...FAULTS, ...BROKEN_FILES };
    const fates = fc.array(fc.oneof(fc.constantFrom('kept', 'deleted'), fc.constantFrom(...Object.keys(faults))), {
      minLength: 1,
      maxLength: 7,
    });
    await fc.assert(
      fc.asyncProperty(fates, fc.subarray([...STRAYS]), async (given, strays) => {
        await begin(format);
        const names = ['kept', ...given];
        const entries = names.map((_, index) => entryOf(format, index));
        await publish(fileOf(format, [...entries, ...strays]), format);
        const before = idsOf(await rows());
        expect(before).toHaveLength(names.length);
        const left = entries.flatMap(({ key, text }, index) => {
          const fate = names[index] as string;
          return fate === 'deleted' ? [] : [{ key, text: faults[fate]?.(text) ?? text }];
        });
        await publish(fileOf(format, [...left, ...strays]), format);
        const after = idsOf(await rows());
        expect(before.filter((id) => !after.includes(id))).toEqual(
          before.filter((_, index) => names[index] === 'deleted'),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('keeps the server of a file with another name or none', async () => {
    await begin(format);
    const entries = [0, 1, 2].map((index) => ({
      ...entryOf(format, index),
      text: edit((value) => ({ ...value, name: `com.example/own-${index}` }))(entryOf(format, index).text),
    }));
    await publish(fileOf(format, entries), format);
    const before = idsOf(await rows());
    expect(before).toHaveLength(3);
    const [first, second, third] = entries as [Entry, Entry, Entry];
    const renamed = edit((value) => ({ ...value, name: 'com.example/own-0', title: 5, description: 'Other' }))(
      second.text,
    );
    await publish(fileOf(format, [first, { ...second, text: renamed }, { ...third, text: '{' }]), format);
    expect(idsOf(await rows())).toEqual(before);
  });
});

describe('an edit that clients do not see', () => {
  it.each<[string, (text: string) => string]>([
    ['white space', (text) => JSON.stringify(JSON.parse(text), null, 4)],
    ['the order of fields', edit((value) => Object.fromEntries(Object.entries(value).toReversed()))],
  ])('changes nothing but the hash: %s', async (_, change) => {
    await begin('upstream');
    const entries = [0, 1].map((index) => entryOf('upstream', index));
    await publish(fileOf('upstream', entries), 'upstream');
    const before = await rows();
    const edited = entries.map((entry) => ({ ...entry, text: change(entry.text) }));
    expect(await publish(fileOf('upstream', edited), 'upstream')).toMatchObject({ updated: 0, added: 0, unchanged: 2 });
    expect(await rows()).toEqual(before);
  });

  it('is distinguished from one that they see', async () => {
    await begin('upstream');
    const entry = entryOf('upstream', 0);
    await publish(fileOf('upstream', [entry]), 'upstream');
    const [before] = await rows();
    const edited = { ...entry, text: edit((value) => ({ ...value, title: 'Other' }))(entry.text) };
    expect(await publish(fileOf('upstream', [edited]), 'upstream')).toMatchObject({ updated: 1 });
    const [after] = await rows();
    expect(after?.updatedAt).toBeGreaterThan(before?.updatedAt ?? 0);
    expect(after?.generation).toBeGreaterThan(before?.generation ?? 0);
  });
});
