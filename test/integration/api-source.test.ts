import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NOBODY_IN } from '#spec/auth-spec.js';
import type { ServedRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { apiSource } from '#sources/api/api.source.js';
import type { ApiContext } from '#sources/api/api-context.js';
import { createApiContext } from '#sources/api/testing/api-context.js';
import type { ApiPage, WalkOptions } from '#sources/pages.js';
import { CatalogueRows } from '#support/catalogue-rows.js';
import type { EntryRow } from '#support/catalogue-rows.js';
import { apiOptions } from '#support/api-options.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';

const ROOT: ServedRegistry = { namespace: 'default', name: 'root', sources: [], auth: { mode: 'anonymous' } };
const TEAM: ServedRegistry = { namespace: 'default', name: 'team', sources: [], auth: { mode: 'anonymous' } };
const LARGE: ServedRegistry = { namespace: 'default', name: 'large', sources: [], auth: { mode: 'anonymous' } };
const CLOSED: ServedRegistry = { namespace: 'default', name: 'closed', sources: [], auth: NOBODY_IN };

/** JSON that must be served unchanged. Parsing it to an object and back would change it. */
const EXACT =
  '{"version":"1.0.0","name":"io.exact/bytes","10":1.0,"9":12345678901234567890,"description":"\\u00e9é","$schema":"x"}';

const ENTRIES: EntryRow[] = [
  { name: 'a/first', version: '1.10.0' },
  { name: 'a/first', version: '1.9.0', status: 'deprecated', updatedAt: '2026-02-01T00:00:00Z' },
  { name: 'a/gone', version: '1.0.0', deletedAt: '2026-03-01T00:00:00.250Z' },
  { name: 'a/hidden', version: '1.0.0', hiddenBy: 'names.exclude: *hidden' },
  { name: 'io.exact/bytes', version: '1.0.0', serverJson: EXACT },
];

const LARGE_COUNT = 60_000;

let database: TestDatabase;
let rows: CatalogueRows;
let api: RegistryApi;

beforeAll(async () => {
  database = await createTestDatabase();
  rows = await CatalogueRows.connect(database.app);
  const served = [ROOT, TEAM, LARGE, CLOSED];
  for (const { namespace, name } of served) {
    await rows.addRegistry(namespace, name);
    await rows.addSource(namespace, name, 'x');
    if (name !== 'large') await rows.publish(namespace, name, 'x', ENTRIES);
  }
  await rows.query(
    `INSERT INTO entry (source_id, name, version, key, hash, server_json, description)
     SELECT (SELECT id FROM source WHERE registry = 'large'), name, '1.0.0', name, '',
            json_build_object('name', name, 'version', '1.0.0', 'description', repeat('x', 1000))::text, ''
       FROM (SELECT 'a/s' || lpad(n::text, 6, '0') AS name FROM generate_series(1, $1) AS n) AS named`,
    [LARGE_COUNT],
  );
  await rows.query(`UPDATE source SET generation = 1, synced_at = now() WHERE registry = 'large'`);
  api = await startRegistryApi(apiOptions(database.app, served));
  await api.catalogue.nextChange();
});

afterAll(async () => {
  await api?.close();
  await rows?.end();
  await database?.drop();
});

const context: ApiContext = {
  signal: new AbortController().signal,
  progress: () => undefined,
  references: createApiContext().references,
  refusals: createApiContext().refusals,
  settings: { version: '1.2.3', urlRewrites: [] },
};

async function walk(base: string, options: WalkOptions = {}) {
  const pages: ApiPage[] = [];
  const spec = { endpoint: `${api.url}${base}` };
  for await (const page of apiSource.pages(spec, options, context, apiSource.read)) pages.push(page);
  const items = pages.flatMap((page) => page.items);
  return { pages, entries: items.flatMap((item) => ('entry' in item ? [item.entry] : [])), items };
}

const probe = (base: string, updatedSince: string) =>
  apiSource.probe({ endpoint: `${api.url}${base}` }, { updatedSince }, context);

describe('one of our registries, read by another', () => {
  it.each(['', '/', '/registry/x', '/registry/x/', '/default/team', '/default/team/', '/default/team/registry/x'])(
    'gives everything below %j: order, bytes, lives and tombstones',
    async (base) => {
      const { pages, entries, items } = await walk(base);
      expect(items).toHaveLength(entries.length);
      expect(entries.map(({ name, version, lifecycle }) => [name, version, lifecycle?.status])).toEqual([
        ['a/first', '1.10.0', 'active'],
        ['a/first', '1.9.0', 'deprecated'],
        ['a/gone', '1.0.0', 'deleted'],
        ['io.exact/bytes', '1.0.0', 'active'],
      ]);
      expect(entries.at(-1)?.serverJson).toBe(EXACT);
      expect(entries[1]).toMatchObject({
        status: 'deprecated',
        lifecycle: { publishedAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-02-01T00:00:00.000Z' },
      });
      expect(pages.map(({ latestUpdate }) => latestUpdate)).toEqual(['2026-03-01T00:00:00.250Z']);
    },
  );

  it('tells of changes since the last look, removals among them', async () => {
    const [before, latest] = ['2026-02-15T00:00:00Z', '2026-03-01T00:00:00.250Z'];
    expect(await probe('/default/team', before)).toMatchObject({ verdict: 'changed' });
    const changes = await walk('/default/team', { updatedSince: before });
    expect(changes.entries.map(({ name, lifecycle }) => [name, lifecycle?.status])).toEqual([['a/gone', 'deleted']]);
    expect(await probe('/default/team', latest)).toMatchObject({ verdict: 'unchanged' });
    expect((await walk('/default/team', { updatedSince: latest })).pages).toMatchObject([{ items: [] }]);
  });

  it('tells by its tag that a list of one page is the same', async () => {
    const { pages } = await walk('/default/team');
    const known = { etag: pages[0]?.etag ?? 'none' };
    const ask = () => apiSource.probe({ endpoint: `${api.url}/default/team` }, known, context);
    expect(await ask()).toMatchObject({ verdict: 'unchanged' });
    const change = api.catalogue.nextChange();
    await rows.publish('default', 'team', 'x', [...ENTRIES, { name: 'z/new', version: '1.0.0' }]);
    await change;
    await expect.poll(async () => (await ask()).verdict).toBe('changed');
    await rows.publish('default', 'team', 'x', ENTRIES);
    await expect.poll(async () => (await walk('/default/team')).entries).toHaveLength(4);
  });

  it('says what is wrong: no such registry, or a login that is wanted', async () => {
    await expect(walk('/registry/nobody')).rejects.toMatchObject({
      reason: 'FetchFailed',
      destiny: 'wait',
      message: expect.stringContaining('no registry is called "nobody"'),
    });
    await expect(walk('/default/closed')).rejects.toMatchObject({ reason: 'AuthFailed', destiny: 'wait' });
  });

  it('refuses a cursor that is not its own, so that the walk begins again', async () => {
    await expect(walk('', { cursor: 'nonsense' })).rejects.toMatchObject({ destiny: 'retry', name: 'RegistryError' });
  });

  it('gives 600 pages, from the beginning or from the middle', async () => {
    const names: string[] = [];
    let [pages, middle] = [0, ''];
    const spec = { endpoint: `${api.url}/default/large` };
    for await (const page of apiSource.pages(spec, {}, context, apiSource.read)) {
      for (const item of page.items) names.push('entry' in item ? item.entry.name : 'quarantined');
      if (++pages === 550) middle = page.nextCursor ?? '';
    }
    expect(pages).toBe(LARGE_COUNT / 100);
    expect(new Set(names).size).toBe(LARGE_COUNT);
    expect(names).toEqual(names.toSorted());

    const rest = await walk('/default/large', { cursor: middle });
    expect(rest.entries.map(({ name }) => name)).toEqual(names.slice(55_000));
  });
});
