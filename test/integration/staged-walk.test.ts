import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDataSource } from '#persistence/database.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import { StagedWalk } from '#persistence/staged-walk.js';
import type { WalkItem } from '#persistence/staged-walk.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';

const registry = { namespace: 'test', name: 'r', uid: randomUUID() };
let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  const dataSource = await createDataSource(database.app, { maxConnections: 1, onError: () => undefined }).initialize();
  const plan = { name: 's', type: 'api', address: 'x', format: 'upstream', specHash: 'a', filterHash: 'b' } as const;
  await new RegistryCatalogue(dataSource).adoptPlan(registry, null, [plan]);
  await dataSource.destroy();
  client = new pg.Client(database.app);
  await client.connect();
});

afterAll(async () => {
  await client?.end();
  await database?.drop();
});

const held = (key: string): WalkItem => ({
  quarantined: { key, name: undefined, version: undefined, path: '', message: 'bad' },
});

async function keysOf(walk: StagedWalk): Promise<string[]> {
  const keys: string[] = [];
  for await (const items of walk.items()) {
    keys.push(...items.map((item) => ('quarantined' in item ? item.quarantined.key : '')));
  }
  return keys;
}

it('continues where it stopped, and contains nothing of a walk that it replaced', async () => {
  const earlier = await StagedWalk.open(client, registry, 's', 'earlier');
  await earlier.add({ items: [held('a')], nextCursor: '2' }, null);
  const same = await StagedWalk.open(client, registry, 's', 'earlier');
  expect(await same.state()).toMatchObject({ cursor: '2', pages: 1, isWhole: false });

  const later = await StagedWalk.open(client, registry, 's', 'later');
  await later.add({ items: [held('b')], nextCursor: '2' }, null);
  const gone = 'another walk of the same source has started';
  await expect(earlier.add({ items: [held('c')] }, null)).rejects.toThrow(gone);
  await expect(earlier.add({ items: [] }, null)).rejects.toThrow(gone);
  await expect(earlier.reset()).rejects.toThrow(gone);
  await expect(earlier.state()).rejects.toThrow(gone);
  await expect(keysOf(earlier)).rejects.toThrow(gone);
  await earlier.clear();

  await later.add({ items: [held('d')] }, null);
  expect(await later.state()).toMatchObject({ pages: 2, isWhole: true });
  expect(await keysOf(later)).toEqual(['b', 'd']);
  await later.reset();
  expect(await keysOf(later)).toEqual([]);
  expect(await later.state()).toMatchObject({ cursor: undefined, pages: 0, isWhole: false });
  await later.clear();
  await expect(later.state()).rejects.toThrow(gone);
});
