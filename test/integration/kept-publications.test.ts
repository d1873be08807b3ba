import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimForStandalone, claimStore, releaseRows, renewClaim, renewRows } from '#persistence/claim-store.js';
import { createDataSource } from '#persistence/database.js';
import { withClient } from '#persistence/database-client.js';
import { publishEntry } from '#persistence/managed-entries.js';
import { readStoreId } from '#persistence/migrate.js';
import { readSources } from '#persistence/read-sources.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import type { PlannedSource } from '#persistence/registry-catalogue.js';
import { RowLeases } from '#standalone/row-leases.js';
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

  it('takes its rows along when a resource that was created again claims it', async () => {
    const [former, next] = [team(), team()];
    await claimStore(database.app, { ...former, cluster: 'here' });
    await catalogue.adoptPlan(former, null, [plan('ours')]);
    await publish('ours');
    await query('UPDATE store SET claimed_at = NULL, claimed_by = NULL');
    await claimStore(database.app, { ...next, cluster: 'here' });
    expect(await query('SELECT uid FROM registry')).toEqual([{ uid: next.uid }]);
    await catalogue.adoptPlan(next, null, [plan('ours')]);
    expect([await entries(), await sources()]).toEqual([['io.a/b'], [['ours', 1]]]);
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

describe('a database that was claimed in one cluster', () => {
  const here = { ...team(), cluster: 'c-here' };
  const elsewhere = { ...team(), cluster: 'c-elsewhere' };
  const lapse = () => query("UPDATE store SET claimed_at = now() - interval '1 year'");

  beforeEach(async () => {
    await claimStore(database.app, here);
    await catalogue.adoptPlan(here, null, [plan('ours')]);
    await publish('ours');
  });

  it.each([
    { what: 'another cluster', claimant: elsewhere },
    { what: 'a server that knows no cluster', claimant: team() },
  ])('is refused to $what, however long its servers have been away', async ({ claimant }) => {
    await lapse();
    await expect(claimStore(database.app, claimant)).rejects.toMatchObject({
      reason: 'DatabaseOwnedByAnother',
      message: expect.stringMatching(
        new RegExp(`belongs to MCPRegistry tools/team \\(uid ${here.uid}\\) of cluster c-here.*SET owner = NULL`),
      ),
    });
    await expect(catalogue.adoptPlan(claimant, null, [])).rejects.toMatchObject({ reason: 'DatabaseOwnedByAnother' });
    expect(await query('SELECT uid FROM registry')).toEqual([{ uid: here.uid }]);
    expect(await sources()).toEqual([['ours', 1]]);
    await claimStore(database.app, here);
  });

  it('is refused in the same words each time, so that the refusal is told once', async () => {
    const refusal = () => claimStore(database.app, elsewhere).catch(({ message }: Error) => message);
    const first = await refusal();
    await query("UPDATE store SET claimed_at = now() + interval '30 seconds'");
    expect(await refusal()).toBe(first);
  });

  it('is released on purpose, once the servers of the first are gone', async () => {
    await query('UPDATE store SET owner = NULL');
    await expect(claimStore(database.app, elsewhere)).rejects.toMatchObject({
      message: expect.stringContaining(`is in use by another MCPRegistry tools/team (uid ${here.uid})`),
    });
    await lapse();
    await claimStore(database.app, elsewhere);
    await catalogue.adoptPlan(elsewhere, null, [plan('ours')]);
    expect([await entries(), await sources()]).toEqual([['io.a/b'], [['ours', 1]]]);
    await lapse();
    await expect(claimStore(database.app, here)).rejects.toMatchObject({
      message: expect.stringContaining('of cluster c-elsewhere, not of c-here'),
    });
  });

  it('stays that of the resource whose cluster is called otherwise by now', async () => {
    const renamed = { ...here, cluster: 'c-with-another-authority' };
    await claimStore(database.app, renamed);
    expect(await query('SELECT cluster FROM store')).toEqual([{ cluster: renamed.cluster }]);
  });

  it('is that of its cluster in a copy, too, as in a restore or a clone for tests', async () => {
    await dataSource.destroy();
    const name = `copy_${randomUUID().replaceAll('-', '')}`;
    const admin = new pg.Client({ ...database.migrator, user: 'postgres', database: 'postgres' });
    await admin.connect();
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${database.app.database}`);
    const copy = { ...database.app, database: name };
    const refusal = { reason: 'DatabaseOwnedByAnother', message: expect.stringContaining('of cluster c-here') };
    await withClient(copy, (client) => client.query("UPDATE store SET claimed_at = now() - interval '1 day'"));
    await expect(claimStore(copy, elsewhere)).rejects.toMatchObject(refusal);
    await withClient(copy, (client) => client.query('UPDATE store SET owner = NULL'));
    await claimStore(copy, elsewhere);
    const served = await withClient(copy, (client) => readSources(client, place));
    expect(served.map(({ servedCount }) => servedCount)).toEqual([1]);
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
    await dataSource.initialize();
  });
});

it('a new database has one owner, however many claim it at once', async () => {
  for (let round = 0; round < 10; round++) {
    await query('UPDATE store SET owner = NULL, cluster = NULL, claimed_by = NULL, claimed_at = NULL');
    const claimants = Array.from({ length: 6 }, (_, index) => ({ ...team(), cluster: `c-${index % 3}` }));
    const outcomes = await Promise.allSettled([
      ...claimants.map((claimant) => claimStore(database.app, claimant)),
      claimForStandalone(database.app),
    ]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  }
});

describe('a database that standalone instances share', () => {
  const shared = () => new RegistryCatalogue(dataSource, true);

  it('is refused to a registry of a cluster, and one of a cluster to them', async () => {
    await claimForStandalone(database.app);
    await claimForStandalone(database.app);
    await expect(claimStore(database.app, { ...team(), cluster: 'c' })).rejects.toMatchObject({
      reason: 'DatabaseOwnedByAnother',
      message: expect.stringContaining('belongs to standalone instances, not tools/team'),
    });
    await query('UPDATE store SET owner = NULL');
    await claimStore(database.app, { ...team(), cluster: 'c' });
    await expect(claimForStandalone(database.app)).rejects.toMatchObject({
      reason: 'DatabaseOwnedByAnother',
      message: expect.stringContaining('belongs to MCPRegistry tools/team, not standalone instances'),
    });
  });

  it('has one instance for each name, also when several are the first at once', async () => {
    for (let round = 0; round < 10; round++) {
      await query('DELETE FROM registry');
      const instances = [team(), team(), team()];
      const outcomes = await Promise.allSettled(
        instances.map((registry) => shared().adoptPlan(registry, null, [plan('ours')])),
      );
      const adopted = instances.filter((_, index) => outcomes[index]?.status === 'fulfilled');
      expect(adopted).toHaveLength(1);
      expect(await query('SELECT uid FROM registry')).toEqual([{ uid: adopted[0]?.uid }]);
      await shared().adoptPlan({ ...team(), name: 'other' }, null, [plan('ours')]);
    }
  });

  it('leaves a name to the instance that serves it until that has stopped or its claim has lapsed', async () => {
    const [one, two] = [team(), team()];
    const takeOver = (registry: typeof one) => shared().adoptPlan(registry, null, [plan('ours')]);
    await takeOver(one);
    await publish('ours');
    await query("UPDATE registry SET claimed_at = now() - interval '91 seconds'");
    await using leases = new RowLeases(database.app, () => [one.uid], pino({ level: 'silent' }), 10);
    await expect
      .poll(() => query("SELECT claimed_at > now() - interval '1 minute' AS renewed FROM registry"))
      .toEqual([{ renewed: true }]);
    await expect(takeOver(two)).rejects.toMatchObject({ message: expect.stringContaining(one.uid) });
    await leases[Symbol.asyncDispose]();
    await takeOver(two);
    expect([await entries(), await sources()]).toEqual([['io.a/b'], [['ours', 1]]]);
    // Neither instance renews or releases rows that the other has taken over.
    await query("UPDATE registry SET claimed_at = now() - interval '91 seconds'");
    await renewRows(database.app, [one.uid]);
    await takeOver(one);
    await releaseRows(database.app, [two.uid]);
    await expect(takeOver(two)).rejects.toMatchObject({ reason: 'DatabaseOwnedByAnother' });
  });

  it('gives the rows of a registry that was deleted to the next of its name', async () => {
    const [former, next] = [team(), team()];
    await shared().adoptPlan(former, null, [plan('ours')]);
    await publish('ours');
    await shared().removeRegistry(former);
    await shared().adoptPlan(next, null, [plan('ours')]);
    expect(await sources()).toEqual([['ours', 1]]);
  });
});
