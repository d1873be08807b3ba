import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimStore, renewClaim } from '#persistence/claim-store.js';
import { createDataSource } from '#persistence/database.js';
import { withClient } from '#persistence/database-client.js';
import { publishEntry } from '#persistence/managed-entries.js';
import { readStoreId } from '#persistence/migrate.js';
import { readSources } from '#persistence/read-sources.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import type { PlannedSource } from '#persistence/registry-catalogue.js';
import { StoreLease } from '#registry-api/store-lease.js';
import { readPublished } from '#sources/formats/published-server.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';

let database: TestDatabase;
let dataSource: DataSource;
let catalogue: RegistryCatalogue;

beforeEach(async () => {
  database = await createTestDatabase();
  dataSource = await createDataSource(database.app, { maxConnections: 2, onError: () => undefined }).initialize();
  catalogue = new RegistryCatalogue(dataSource);
});

afterEach(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

const team = () => ({ namespace: 'tools', name: 'team', uid: randomUUID() });
const plan = (name: string, type = 'managed'): PlannedSource => ({
  name,
  type,
  format: 'upstream',
  address: 'here',
  specHash: 's',
  filterHash: 'f',
});
const place = { namespace: 'tools', registry: 'team' };

async function publish(source: string): Promise<void> {
  const server = readPublished(Buffer.from('{"name":"io.a/b","version":"1.0.0","description":"x"}'));
  const publisher = { provider: 'idp', subject: 'ann' };
  const outcome = await withClient(database.app, (client) =>
    publishEntry(client, { ...place, source }, server, publisher, async () => 'written'),
  );
  expect(outcome).toEqual({ written: 'written' });
}

const query = (sql: string) => dataSource.query(sql) as Promise<Record<string, unknown>[]>;
const entries = async () => (await query('SELECT name FROM entry WHERE deleted_at IS NULL')).map(({ name }) => name);
const sources = async () =>
  (await withClient(database.app, (client) => readSources(client, place))).map(({ name, servedCount }) => [
    name,
    servedCount,
  ]);

describe('published entries', () => {
  it('are those of the resource that is created again under the same name', async () => {
    await catalogue.adoptPlan(team(), null, [plan('ours')]);
    await publish('ours');
    const again = team();
    await catalogue.adoptPlan(again, null, [plan('ours')]);
    expect([await entries(), await sources()]).toEqual([['io.a/b'], [['ours', 1]]]);
    expect(await query('SELECT uid FROM registry')).toEqual([{ uid: again.uid }]);
  });

  it('are kept when their source leaves the spec, shown no more, and found again by its name', async () => {
    const registry = team();
    await catalogue.adoptPlan(registry, null, [plan('ours'), plan('mirror', 'git')]);
    await publish('ours');
    await catalogue.adoptPlan(registry, null, [plan('renamed'), plan('mirror', 'git')]);
    expect([await entries(), await sources()]).toEqual([
      ['io.a/b'],
      [
        ['renamed', 0],
        ['mirror', 0],
      ],
    ]);
    expect(await catalogue.findSource(registry, 'ours')).toBeNull();
    const outcome = await withClient(database.app, (client) =>
      publishEntry(
        client,
        { ...place, source: 'ours' },
        readPublished(Buffer.from('{"name":"io.a/c","version":"1.0.0","description":"x"}')),
        { provider: 'p', subject: 's' },
        async () => '',
      ),
    );
    expect(outcome).toBe('absent');
    await catalogue.adoptPlan(registry, null, [plan('ours')]);
    expect([await entries(), await sources()]).toEqual([['io.a/b'], [['ours', 1]]]);
    const before = await query('SELECT xmin FROM source');
    await catalogue.adoptPlan(registry, null, [plan('ours')]);
    expect(await query('SELECT xmin FROM source')).toEqual(before);
  });

  it('are gone 30 days after their source has left the spec', async () => {
    const registry = team();
    await catalogue.adoptPlan(registry, null, [plan('ours')]);
    await publish('ours');
    await catalogue.adoptPlan(registry, null, []);
    await query("UPDATE source SET left_at = now() - interval '29 days'");
    await catalogue.adoptPlan(registry, null, []);
    expect(await entries()).toEqual(['io.a/b']);
    await query("UPDATE source SET left_at = now() - interval '31 days'");
    await catalogue.adoptPlan(registry, null, []);
    expect(await entries()).toEqual([]);
  });

  it('survive the removal of their registry, which rows of other sources do not', async () => {
    const registry = team();
    await catalogue.adoptPlan(registry, null, [plan('ours'), plan('mirror', 'git')]);
    await publish('ours');
    await catalogue.removeRegistry(registry);
    expect(await query('SELECT name FROM source')).toEqual([{ name: 'ours' }]);
    expect(await sources()).toEqual([]);
    await catalogue.adoptPlan(team(), null, [plan('ours')]);
    expect([await entries(), await sources()]).toEqual([['io.a/b'], [['ours', 1]]]);
    const empty = { ...team(), name: 'empty' };
    await catalogue.adoptPlan(empty, null, [plan('ours')]);
    await catalogue.removeRegistry(empty);
    expect(await query("SELECT name FROM registry WHERE name = 'empty'")).toEqual([]);
  });

  it('hold back a source of another type that would take their name', async () => {
    const registry = team();
    await catalogue.adoptPlan(registry, null, [plan('ours')]);
    await publish('ours');
    await expect(catalogue.adoptPlan(registry, null, [plan('ours', 'git')])).rejects.toMatchObject({
      reason: 'ShrinkGuard',
      destiny: 'stop',
      message: expect.stringContaining('give the new source another name'),
    });
    expect([await entries(), await sources()]).toEqual([['io.a/b'], [['ours', 1]]]);
  });
});

describe('a database', () => {
  it('is refused to a resource of the same name while another one uses it, whose rows stay', async () => {
    const [here, elsewhere] = [team(), team()];
    await claimStore(database.app, here);
    await catalogue.adoptPlan(here, null, [plan('ours')]);
    await publish('ours');
    for (let turn = 0; turn < 2; turn++) {
      const refusal = { reason: 'DatabaseOwnedByAnother', message: expect.stringContaining(here.uid) };
      await expect(claimStore(database.app, elsewhere)).rejects.toMatchObject(refusal);
      await expect(catalogue.adoptPlan(elsewhere, null, [])).rejects.toMatchObject(refusal);
      await claimStore(database.app, here);
      await catalogue.adoptPlan(here, null, [plan('ours')]);
    }
    expect([await entries(), await sources()]).toEqual([['io.a/b'], [['ours', 1]]]);
  });

  it('is taken over once the claim has lapsed, and then no longer that of the first', async () => {
    const [former, next] = [team(), team()];
    const storeId = await claimStore(database.app, former);
    await query("UPDATE store SET claimed_at = now() - interval '89 seconds'");
    await expect(claimStore(database.app, next)).rejects.toMatchObject({ reason: 'DatabaseOwnedByAnother' });
    await query("UPDATE store SET claimed_at = now() - interval '91 seconds'");
    expect(await claimStore(database.app, next)).toBe(storeId);
    expect(await renewClaim(database.app, { uid: former.uid, storeId })).toBe(false);
    expect(await renewClaim(database.app, { uid: next.uid, storeId })).toBe(true);
  });

  it('that was replaced under a running server is noticed', async () => {
    const registry = team();
    const storeId = await claimStore(database.app, registry);
    await using lease = new StoreLease(database.app, { uid: registry.uid, storeId }, pino({ level: 'silent' }), 10);
    const admin = new pg.Client({ ...database.migrator });
    await admin.connect();
    await admin.query('UPDATE store SET id = gen_random_uuid()');
    await admin.end();
    await expect(lease.lost).rejects.toMatchObject({ message: expect.stringContaining('was replaced') });
    expect(await readStoreId(database.app)).not.toBe(storeId);
  });
});
