import { hash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import { createDataSource } from '#persistence/database.js';
import { publishRevision } from '#persistence/publish-revision.js';
import type { PublishedItem } from '#persistence/copy-entries.js';
import { readByName, readPublishedSources, TooManyVersions } from '#persistence/read-judged.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';

interface Version {
  readonly name: string;
  readonly version: string;
  readonly tags: readonly string[];
}

let database: TestDatabase;
let dataSource: DataSource;
let client: pg.Client;
let registry: { namespace: string; name: string; uid: string };

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await createDataSource(database.app, { maxConnections: 2, onError: () => undefined }).initialize();
  client = new pg.Client(database.app);
  await client.connect();
});

beforeEach(async () => {
  registry = { namespace: 'test', name: `r-${randomUUID()}`, uid: randomUUID() };
  const source = { name: 's', type: 'git', address: 'x', format: 'upstream', specHash: 'a', filterHash: 'b' } as const;
  const catalogue = new RegistryCatalogue(dataSource);
  await catalogue.adoptPlan(registry, null, [source]);
  await catalogue.openSource(registry, 's', 1);
});

afterAll(async () => {
  await client?.end();
  await dataSource?.destroy();
  await database?.drop();
});

const publish = (versions: readonly Version[]) =>
  publishRevision(client, {
    registry,
    source: 's',
    run: 1,
    revision: 'r',
    contentHash: randomUUID(),
    specHash: 'a',
    filterHash: 'b',
    readAlike: false,
    isWhole: true,
    hiddenBy: () => undefined,
    async *read(): AsyncGenerator<PublishedItem[]> {
      yield versions.map((each) => ({ entry: toEntry(each), hash: hash('sha256', JSON.stringify(each), 'buffer') }));
    },
  });

function toEntry({ name, version, tags }: Version): CatalogueEntry {
  const document = { name, version, description: name };
  const fields = { ...document, key: name, tags, facets: [], status: 'active', serverJson: JSON.stringify(document) };
  return { ...fields, title: undefined } as unknown as CatalogueEntry;
}

async function read(withTags: boolean) {
  const [pages, groups]: [number[], (readonly { name: string; version: string; tags: readonly string[] }[])[]] = [
    [],
    [],
  ];
  const sizes = {
    query: async (sql: string, values: unknown[]) => {
      const answer = await client.query(sql, values);
      pages.push(JSON.stringify(answer.rows).length);
      return answer;
    },
  };
  let rests = 0;
  const rest = () => void rests++;
  const sources = await readPublishedSources(client as never, {
    namespace: registry.namespace,
    registry: registry.name,
  });
  for await (const group of readByName(sizes as never, sources, { withTags, rest: rest as never })) groups.push(group);
  return { pages, groups, rests };
}

const numbered = (at: number) => String(at).padStart(5, '0');
const tagged = (characters: number) => [Array.from({ length: 20 }, (_, at) => `${at}`.padEnd(characters, 'x'))].flat();

it('reads pages of limited size, whatever the tags, and all versions of a name together', async () => {
  const versions = Array.from({ length: 900 }, (_, at) => ({
    name: `com.example/n${numbered(Math.floor(at / 3))}`,
    version: `1.0.${numbered(at)}`,
    tags: tagged(200),
  }));
  await publish(versions);
  const { pages, groups, rests } = await read(true);
  expect(Math.max(...pages)).toBeLessThan(512 * 1024);
  expect(rests).toBe(pages.length);
  expect(groups.flat().map(({ version }) => version)).toEqual(versions.map(({ version }) => version));
  expect(groups.every((group) => group.length === 3)).toBe(true);
  expect((await read(false)).groups.flat().every(({ tags }) => tags.length === 0)).toBe(true);
});

it('rejects more versions of one name than fit into memory, and accepts many without their tags', async () => {
  const versions = Array.from({ length: 3_000 }, (_, at) => ({
    name: 'com.example/many',
    version: `1.0.${numbered(at)}`,
    tags: tagged(200),
  }));
  await publish(versions);
  await expect(read(true)).rejects.toThrow(TooManyVersions);
  expect((await read(false)).groups.map((group) => group.length)).toEqual([3_000]);
});
