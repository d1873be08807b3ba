import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerDocument } from '#domain/server-document.js';
import { DEFAULT_OPTIONS } from '#exports/export-options.js';
import { findFormat } from '#exports/index.js';
import { randomEntries, toEntries } from '#exports/testing/random-entries.js';
import { fixturePath } from '#support/optional-fixture.js';
import { normalizeServer } from '#sources/formats/normalize-server.js';
import { readCatalogue } from '#sources/formats/read-catalogue.js';
import { checkServerJson } from '#sources/formats/server-json.js';

const RUNS = { numRuns: Number(process.env['EXPORT_RUNS'] ?? 100) };

/**
 * Returns whether a source would serve this server unchanged. A server that no source accepts never appears in a list
 * or an export.
 */
function isServable(server: ServerDocument): boolean {
  try {
    checkServerJson(server);
    const json = JSON.stringify(server);
    // Sources drop empty fields that may not be empty.
    if (JSON.stringify(normalizeServer(JSON.parse(json)).value) !== json) return false;
    // Sources reject lone surrogates, which JSON writes as an escape. NUL cannot be stored in a text column.
    return !/\\u(d[89a-f]|0000)/i.test(json);
  } catch {
    return false;
  }
}

it('the reader of the format upstream reads an exported file and finds the same servers', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'round-trip-'));
  const path = join(directory, 'registry.json');
  try {
    await fc.assert(
      fc.asyncProperty(randomEntries, async (all) => {
        const entries = all.filter(({ server }) => isServable(server));
        // A source rejects a file without servers, because it would remove all entries.
        fc.pre(entries.length > 0);
        const { text } = findFormat('upstream')!.render(entries, { ...DEFAULT_OPTIONS, view: entries });
        await writeFile(path, text);
        const found: unknown[] = [];
        for await (const items of readCatalogue(path, 'upstream', { file: path, maxFileBytes: 64 * 1024 * 1024 })) {
          for (const item of items) found.push('entry' in item ? JSON.parse(item.entry.serverJson) : item);
        }
        const expected = entries.map(({ server }) => server).toSorted((a, b) => (a.name < b.name ? -1 : 1));
        expect(found).toEqual(expected.map((server) => expect.objectContaining(JSON.parse(JSON.stringify(server)))));
      }),
      RUNS,
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

describe('the reader of the format toolhive reads an exported file with the same result as the original one', () => {
  let directory: string;
  beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), 'round-trip-'))));
  afterAll(() => rm(directory, { recursive: true, force: true }));

  async function read(path: string) {
    const entries = [];
    for await (const items of readCatalogue(path, 'toolhive', { file: path, maxFileBytes: 64 * 1024 * 1024 })) {
      for (const item of items) if ('entry' in item) entries.push(item.entry);
    }
    return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async function readAgain(path: string) {
    const first = await read(path);
    const all = toEntries(
      first.map(({ serverJson }) => JSON.parse(serverJson) as ServerDocument),
      first.map(({ status }) => status),
    );
    const { text, results } = findFormat('toolhive')!.render(all, { ...DEFAULT_OPTIONS, view: all });
    await writeFile(join(directory, 'again.json'), text);
    return { first, results, again: await read(join(directory, 'again.json')) };
  }

  const shown = ({ name, serverJson, status }: { name: string; serverJson: string; status: string }) => ({
    name,
    status,
    server: JSON.parse(serverJson) as unknown,
  });

  const name = fc.constantFrom('fetch', 'web-search', 'a1b', 'time-tools', 'notion', 'constructor');
  const input = fc.record(
    {
      name: fc.constantFrom('TOKEN', 'REGION', '_X'),
      description: fc.constantFrom('What it is for', 'é'.repeat(200)),
      required: fc.boolean(),
      default: fc.constantFrom('eu', 'a b', '"'),
    },
    { requiredKeys: ['name', 'description', 'required'] },
  );
  const common = {
    description: fc.constantFrom('Searches the web', 'D'.repeat(500)),
    status: fc.constantFrom('Active', 'Deprecated'),
    tier: fc.constantFrom('Official', 'Community'),
    tools: fc.uniqueArray(fc.constantFrom('search', 'get_page', 'a-b'), { minLength: 1 }),
    title: fc.constantFrom('Web Search', 'Fetch "it"'),
    tags: fc.uniqueArray(fc.constantFrom('web', 'search', 'a_b'), { minLength: 1 }),
    repository_url: fc.constant('https://git.example.com/acme/search'),
    overview: fc.constant('# More\n\n* about it'),
    metadata: fc.constant({ stars: 12, pulls: 345, last_updated: '2026-01-01T00:00:00Z' }),
    custom_metadata: fc.constant({ author: 'Example', nested: { a: [1, null] } }),
  };
  const required = ['description', 'status', 'tier', 'tools'] as const;
  const container = fc.record(
    {
      ...common,
      image: fc.constantFrom('ghcr.io/acme/search:1.2.3', 'localhost:5000/a/b', 'mcp/fetch:latest'),
      transport: fc.constantFrom('stdio', 'sse', 'streamable-http'),
      target_port: fc.integer({ min: 1, max: 65_535 }),
      args: fc.array(fc.constantFrom('--fast', '-y', 'a b'), { maxLength: 2 }),
      env_vars: fc.uniqueArray(input, { selector: (each) => each.name, maxLength: 3 }),
      permissions: fc.constant({ network: { outbound: { allow_host: ['.example.com'], allow_port: [443] } } }),
      provenance: fc.constant({ sigstore_url: 'tuf.example.com', cert_issuer: 'https://issuer.example' }),
      docker_tags: fc.constant(['1', 'latest']),
      proxy_port: fc.constant(9000),
    },
    { requiredKeys: [...required, 'image', 'transport'] },
  );
  const remote = fc.record(
    {
      ...common,
      url: fc.constantFrom('https://mcp.example.com/mcp', 'https://mcp.example.com', 'https://mcp.example.com:8443/x'),
      transport: fc.constantFrom('sse', 'streamable-http'),
      headers: fc.uniqueArray(
        input.map((each) => ({ ...each, name: `X-${each.name.replace('_', 'U')}`, choices: ['eu', 'us'] })),
        { selector: (each) => each.name, maxLength: 2 },
      ),
      oauth_config: fc.constant({ issuer: 'https://id.example.com', scopes: ['read'], use_pkce: true }),
      env_vars: fc.array(input, { maxLength: 1 }),
    },
    { requiredKeys: [...required, 'url', 'transport'] },
  );

  it('for files of any servers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(name, container, { minKeys: 1, maxKeys: 3 }),
        fc.dictionary(
          name.map((each) => `${each}-remote`),
          remote,
          { maxKeys: 2 },
        ),
        async (servers, remotes) => {
          const path = join(directory, 'first.json');
          const file = { version: '1.0.0', last_updated: '2026-01-01T00:00:00Z', servers, remote_servers: remotes };
          await writeFile(path, JSON.stringify(file));
          const { first, again } = await readAgain(path);
          expect(again.map(shown)).toEqual(first.map(shown));
        },
      ),
      RUNS,
    );
  });

  const real = fixturePath('catalogues/toolhive.json');
  it.skipIf(real === undefined)('for the real catalogue', async () => {
    const { first, again, results } = await readAgain(real as string);
    expect(first.length).toBeGreaterThan(50);
    expect(results.filter(({ status }) => status === 'omitted')).toEqual([]);
    expect(again.map(shown)).toEqual(first.map(shown));
  });
});
