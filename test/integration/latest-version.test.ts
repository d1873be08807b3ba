import { hash, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import type { Lifecycle } from '#domain/catalogue-entry.js';
import { createDataSource } from '#persistence/database.js';
import { publishRevision } from '#persistence/publish-revision.js';
import { refilterSource } from '#persistence/refilter-source.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import type { Answer } from '#read-model/answer.js';
import { loadRegistries } from '#registry-api/catalogue/load-registries.js';
import type { RegistrySnapshots } from '#registry-api/catalogue/live-catalogue.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';

let database: TestDatabase;
let dataSource: DataSource;
let client: pg.Client;
let registry: { namespace: string; name: string; uid: string };
let known: RegistrySnapshots;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await createDataSource(database.app, { maxConnections: 2, onError: () => undefined }).initialize();
  client = new pg.Client(database.app);
  await client.connect();
});

beforeEach(async () => {
  registry = { namespace: 'test', name: `r-${randomUUID()}`, uid: randomUUID() };
  known = new Map();
  await adopt();
});

async function adopt(): Promise<void> {
  const plan = { type: 'api', address: 'x', format: 'upstream', specHash: 'a', filterHash: 'b' } as const;
  await new RegistryCatalogue(dataSource).adoptPlan(registry, null, [
    { name: 'first', ...plan },
    { name: 'second', ...plan },
  ]);
}

afterAll(async () => {
  await client?.end();
  await dataSource?.destroy();
  await database?.drop();
});

type Version = readonly [version: string, lifecycle?: Partial<Lifecycle> | undefined];

/** Publishes versions of `a/b`: all of them, or, like a walk of changes, only those that changed. */
async function publish(
  source: string,
  versions: readonly Version[],
  { isWhole = true, batch = versions.length }: { readonly isWhole?: boolean; readonly batch?: number } = {},
): Promise<void> {
  await publishRevision(client, {
    registry,
    source,
    revision: randomUUID(),
    contentHash: randomUUID(),
    specHash: 'a',
    filterHash: 'b',
    readAlike: true,
    isWhole,
    hiddenBy: () => undefined,
    async *read() {
      const items = versions.map(([version, lifecycle]) => ({
        entry: {
          key: 'a/b',
          name: 'a/b',
          version,
          serverJson: JSON.stringify({ name: 'a/b', version }),
          title: undefined,
          description: 'x',
          tags: [],
          facets: [],
          status: 'active' as const,
          ...(lifecycle && { lifecycle: { status: 'active' as const, ...lifecycle } }),
        },
        hash: hash('sha256', version, 'buffer'),
      }));
      for (let at = 0; at < items.length; at += batch) yield items.slice(at, at + batch);
    },
  });
}

interface Served {
  server: { version: string };
  _meta: Record<string, { isLatest: boolean; updatedAt: string }>;
}

async function read<T>(answer: Answer | undefined): Promise<T> {
  return JSON.parse(Buffer.concat([...((await answer?.compose().body()) ?? [])]).toString()) as T;
}

/** Returns the versions in the aggregate, newest first, after checking that the rest of the API agrees. */
async function versions(): Promise<string[]> {
  known = await loadRegistries(client, known, { bodies: undefined, budget: Infinity, tidy: false, served: undefined });
  const { aggregate, sources } = known.get(`test/${registry.name}`) as {
    aggregate: CatalogueReader;
    sources: readonly { reader: CatalogueReader }[];
  };
  const { servers } = await read<{ servers: Served[] }>(aggregate.versions('a/b', false));
  const listed = servers.map(({ server }) => server.version);
  const marked = servers.filter(({ _meta }) => Object.values(_meta)[0]?.isLatest);
  expect(marked.map(({ server }) => server.version)).toEqual([listed[0]]);
  expect((await read<Served>(aggregate.version('a/b', 'latest', false))).server.version).toBe(listed[0]);
  const latest = await read<{ servers: Served[] }>(aggregate.list({ filter: { version: 'latest' }, limit: 10 }));
  expect(latest.servers.map(({ server }) => server.version)).toEqual([listed[0]]);
  const owner = sources.find(({ reader }) => reader.version('a/b', 'latest', false));
  expect((await read<Served>(owner?.reader.version('a/b', 'latest', false))).server.version).toBe(listed[0]);
  return listed;
}

it('is what the registry marks, until it marks another one', async () => {
  await publish('first', [['1.0.0', { isLatest: true }], ['1.0.0rc1', { isLatest: false }], ['1.0.1'], ['edge']]);
  expect(await versions()).toEqual(['1.0.0', '1.0.1', '1.0.0rc1', 'edge']);
  await publish('first', [['1.0.0', { isLatest: false }], ['1.0.0rc1'], ['1.0.1'], ['edge', { isLatest: true }]]);
  expect(await versions()).toEqual(['edge', '1.0.1', '1.0.0', '1.0.0rc1']);
});

it('moves with a new version, even if the previous one is not sent again', async () => {
  await publish('first', [
    ['9.0.0', { isLatest: true }],
    ['1.0.0', { isLatest: false }],
  ]);
  expect(await versions()).toEqual(['9.0.0', '1.0.0']);
  await publish('first', [['2.0.0', { isLatest: true }]], { isWhole: false });
  expect(await versions()).toEqual(['2.0.0', '9.0.0', '1.0.0']);
  await publish('first', [['2.0.0', { status: 'deleted' }]], { isWhole: false });
  expect(await versions()).toEqual(['9.0.0', '1.0.0']);
});

it('is the last of the file if nothing else decides', async () => {
  await publish('first', [['nightly'], ['canary'], ['edge'], ['alpha']]);
  expect(await versions()).toEqual(['alpha', 'edge', 'canary', 'nightly']);
  const old = { publishedAt: '2020-01-01T00:00:00Z' };
  await publish('first', [['nightly'], ['canary'], ['edge'], ['alpha'], ['zeta', old], ['0.0.1a1', old]]);
  expect(await versions()).toEqual(['0.0.1a1', 'alpha', 'edge', 'canary', 'nightly', 'zeta']);
});

it('is that of the source that takes precedence', async () => {
  await publish('second', [['3.0.0', { isLatest: true }]]);
  expect(await versions()).toEqual(['3.0.0']);
  await publish('first', [['1.0.0'], ['0.0.1a10'], ['0.0.1a4'], ['0.0.1']]);
  expect(await versions()).toEqual(['1.0.0', '0.0.1', '0.0.1a10', '0.0.1a4']);
});

/** Returns the versions in the order of a client that sorts by time of the last change, newest first. */
async function byUpdatedAt(): Promise<{ version: string; updatedAtMs: number }[]> {
  known = await loadRegistries(client, known, { bodies: undefined, budget: Infinity, tidy: false, served: undefined });
  const { aggregate } = known.get(`test/${registry.name}`) as { aggregate: CatalogueReader };
  const { servers } = await read<{ servers: Served[] }>(aggregate.versions('a/b', false));
  return servers
    .map(({ server, _meta }) => ({
      version: server.version,
      updatedAtMs: Date.parse(Object.values(_meta)[0]?.updatedAt ?? ''),
    }))
    .toSorted((a, b) => b.updatedAtMs - a.updatedAtMs);
}

const NEWEST_FIRST = ['2.0.0', '2.0.0rc1', '1.10.0', '1.9.0', 'nightly'];

it.each([
  ['a first revision', [], 5],
  ['a first revision that is read in pieces', [], 2],
  ['a first revision that is read one by one', [], 1],
  ['a later one', ['0.0.1'], 2],
])('has the latest time of the versions that were written together: in %s', async (_, before, batch) => {
  await publish(
    'first',
    before.map((version) => [version]),
  );
  const inSomeOrder = ['1.9.0', '2.0.0', 'nightly', '1.10.0', '2.0.0rc1'];
  await publish(
    'first',
    [...before, ...inSomeOrder].map((version): Version => [version]),
    { batch },
  );
  const written = (await byUpdatedAt()).filter(({ version }) => !before.includes(version));
  expect(written.map(({ version }) => version)).toEqual(NEWEST_FIRST);
  const newest = written[0]?.updatedAtMs ?? 0;
  expect(written.map(({ updatedAtMs }) => newest - updatedAtMs)).toEqual([0, 1, 2, 3, 4]);
  await publish(
    'first',
    [...before, ...inSomeOrder].toReversed().map((version): Version => [version]),
  );
  expect((await byUpdatedAt()).filter(({ version }) => !before.includes(version))).toEqual(written);
});

it('has the latest time of the versions that an edited filter includes again', async () => {
  await publish(
    'first',
    ['1.9.0', '1.10.0'].map((version): Version => [version]),
  );
  const target = { registry, source: 'first', specHash: 'a' };
  await refilterSource(client, { ...target, filterHash: 'c' }, () => 'names.exclude');
  await refilterSource(client, { ...target, filterHash: 'd' }, () => undefined);
  const [latest, older] = await byUpdatedAt();
  expect([latest?.version, older?.version]).toEqual(['1.10.0', '1.9.0']);
  expect((latest?.updatedAtMs ?? 0) - (older?.updatedAtMs ?? 0)).toBe(1);
});

it('has the latest time regardless of the order in which versions are published', { timeout: 120_000 }, async () => {
  const texts = fc.constantFrom(
    '1.0.0',
    'v1.0',
    '1.0.0rc1',
    '2.0.0-rc.1',
    '2.0.0',
    'nightly',
    'edge',
    '2025-06-18',
    'x1',
  );
  const given = fc.uniqueArray(fc.tuple(texts, fc.boolean()), {
    minLength: 2,
    maxLength: 6,
    selector: ([text]) => text,
  });
  await fc.assert(
    fc.asyncProperty(given, fc.boolean(), fc.integer({ min: 1, max: 6 }), async (chosen, isMarking, batch) => {
      registry = { namespace: 'test', name: `r-${randomUUID()}`, uid: randomUUID() };
      await adopt();
      const list = chosen.map(([version, isLatest]): Version => [version, isMarking ? { isLatest } : undefined]);
      await publish('first', list, { batch });
      const [latest] = await versions();
      const byTime = await byUpdatedAt();
      expect(byTime[0]?.version).toBe(latest);
      expect(new Set(byTime.map(({ updatedAtMs }) => updatedAtMs)).size).toBe(list.length);
    }),
    { numRuns: 25 },
  );
});
