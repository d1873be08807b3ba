import { hash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import { createDataSource } from '#persistence/database.js';
import { publishRevision } from '#persistence/publish-revision.js';
import type { PublishedItem } from '#persistence/copy-entries.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';

const planned = (name: string, intervalMs = 60_000) =>
  ({ name, type: 'git', address: 'x', format: 'upstream', specHash: 'a', filterHash: 'b', intervalMs }) as const;

let database: TestDatabase;
let dataSource: DataSource;
let catalogue: RegistryCatalogue;
let registry: { namespace: string; name: string; uid: string };
let clients: pg.Client[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await createDataSource(database.app, { maxConnections: 5, onError: () => undefined }).initialize();
  catalogue = new RegistryCatalogue(dataSource);
});

beforeEach(async () => {
  registry = { namespace: 'test', name: `r-${randomUUID()}`, uid: randomUUID() };
  await catalogue.adoptPlan(registry, null, [planned('s'), planned('other')]);
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.end().catch(() => undefined);
});

afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

async function connect(): Promise<pg.Client> {
  const client = new pg.Client(database.app);
  // Ignore errors, because a test makes one of the clients lose its connection.
  client.on('error', () => undefined);
  await client.connect();
  clients.push(client);
  return client;
}

/** Returns a gate that stops an import halfway. */
function gate() {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  return { opened, open, reached, reach };
}

const NO_GATE = { opened: Promise.resolve(), reach: () => undefined };

/** Imports an entry as a run with this number. Waits at the gate in the middle of the COPY. */
function importEntry(
  client: pg.Client,
  run: number,
  name: string,
  { opened, reach } = NO_GATE as Pick<ReturnType<typeof gate>, 'opened' | 'reach'>,
) {
  return publishRevision(client, {
    registry,
    source: 's',
    run,
    revision: `of run ${run}`,
    contentHash: hash('sha256', name),
    specHash: 'a',
    filterHash: 'b',
    readAlike: false,
    isWhole: true,
    hiddenBy: () => undefined,
    async *read(): AsyncGenerator<PublishedItem[]> {
      yield [{ entry: toEntry(name), hash: hash('sha256', name, 'buffer') }];
      reach();
      await opened;
    },
  });
}

function toEntry(name: string): CatalogueEntry {
  return {
    key: name,
    name,
    version: '1.0.0',
    serverJson: JSON.stringify({ name, version: '1.0.0', description: name }),
    title: undefined,
    description: name,
    tags: [],
    facets: [],
    status: 'active',
  } as unknown as CatalogueEntry;
}

const served = async () => {
  const rows: { name: string }[] = await dataSource.query(
    `SELECT entry.name FROM entry JOIN source ON source.id = source_id WHERE registry = $1 AND deleted_at IS NULL`,
    [registry.name],
  );
  return rows.map(({ name }) => name);
};

describe('a sync run', () => {
  it('publishes nothing any more once a later run has opened the source', async () => {
    const zombie = gate();
    await catalogue.openSource(registry, 's', 1);
    const first = importEntry(await connect(), 1, 'io.example/old', zombie);
    await zombie.reached;
    await catalogue.openSource(registry, 's', 2);
    zombie.open();
    await expect(first).rejects.toMatchObject({ reason: 'Cancelled', overtakenBy: 2 });
    expect(await served()).toEqual([]);
    await importEntry(await connect(), 2, 'io.example/new');
    expect(await served()).toEqual(['io.example/new']);
    await expect(importEntry(await connect(), 1, 'io.example/old')).rejects.toMatchObject({ overtakenBy: 2 });
    await expect(catalogue.openSource(registry, 's', 1)).rejects.toMatchObject({ overtakenBy: 2 });
  });

  it('does not wait for an earlier one that hangs in the middle of its import', async () => {
    const zombie = gate();
    await catalogue.openSource(registry, 's', 1);
    const first = importEntry(await connect(), 1, 'io.example/old', zombie);
    first.catch(() => undefined);
    await zombie.reached;
    await catalogue.openSource(registry, 's', 2);
    await importEntry(await connect(), 2, 'io.example/new');
    zombie.open();
    await expect(first).rejects.toThrow(/terminat|connection/i);
    expect(await served()).toEqual(['io.example/new']);
  });
});

describe('a sync run that stalls', () => {
  const row = async () => {
    const { revision, contentHash, heldRevision, syncingSince } = await catalogue.getSource(registry, 's');
    return { revision, contentHash, heldRevision, syncingSince };
  };

  it.each([
    ['a later run', 2],
    ['another attempt of the same run', 1],
  ])('does not give its revision to what %s has published in the meantime', async (_, run) => {
    const opened = await catalogue.openSource(registry, 's', 1);
    const stalled = run === 1 ? opened : await catalogue.openSource(registry, 's', 1);
    await catalogue.openSource(registry, 's', run);
    await importEntry(await connect(), run, 'io.example/new');
    const published = await row();
    await expect(catalogue.markSynced(stalled, 'of the past')).rejects.toMatchObject({
      reason: 'Cancelled',
      destiny: 'retry',
    });
    expect(await row()).toEqual(published);
  });

  it('offers no removals for confirmation that a later run did not see', async () => {
    const stalled = await catalogue.openSource(registry, 's', 1);
    await catalogue.openSource(registry, 's', 2);
    await catalogue.holdBack(stalled, { revision: 'of the past', removals: ['io.example/a 1.0.0'] }, undefined);
    expect(await row()).toMatchObject({ heldRevision: null });
  });

  it('does not end the display of a later run that is in progress', async () => {
    await catalogue.openSource(registry, 's', 1);
    await catalogue.markSyncing(await catalogue.openSource(registry, 's', 2));
    const times = { startedAt: Date.now(), finishedAt: Date.now() };
    const outcome = { source: 's', trigger: 'interval', storeId: 'x', ...times } as const;
    await catalogue.recordRun(registry, randomUUID(), { ...outcome, run: 1 });
    expect((await row()).syncingSince).not.toBeNull();
    await catalogue.recordRun(registry, randomUUID(), { ...outcome, run: 2 });
    expect((await row()).syncingSince).toBeNull();
  });
});

describe('the adoption of a plan', () => {
  it('waits for no import: order, interval and number of sources change meanwhile', async () => {
    const busy = gate();
    await catalogue.openSource(registry, 's', 1);
    const importing = importEntry(await connect(), 1, 'io.example/a', busy);
    await busy.reached;
    await catalogue.adoptPlan(registry, null, [planned('other'), planned('s', 120_000)]);
    const positions = await dataSource.query(
      'SELECT name, interval_ms FROM source WHERE registry = $1 ORDER BY position',
      [registry.name],
    );
    expect(positions).toEqual([
      { name: 'other', interval_ms: '60000' },
      { name: 's', interval_ms: '120000' },
    ]);
    busy.open();
    await importing;
    expect(await served()).toEqual(['io.example/a']);
  });

  it('gives up within seconds when another session holds a row, and keeps no connection busy', async () => {
    const holder = await connect();
    await holder.query('BEGIN');
    await holder.query(`SELECT 1 FROM source WHERE registry = $1 AND name = 's' FOR UPDATE`, [registry.name]);
    await expect(catalogue.adoptPlan(registry, null, [planned('other'), planned('s')])).rejects.toThrow(/lock timeout/);
    expect(await catalogue.getSource(registry, 'other')).toMatchObject({ name: 'other' });
    await holder.query('ROLLBACK');
    await catalogue.adoptPlan(registry, null, [planned('other'), planned('s')]);
  });

  it('that drops a source leaves nothing behind of an import that was under way', async () => {
    const busy = gate();
    await catalogue.openSource(registry, 's', 1);
    const importing = importEntry(await connect(), 1, 'io.example/a', busy);
    await busy.reached;
    await dataSource.query(`DELETE FROM source WHERE registry = $1 AND name = 's'`, [registry.name]);
    busy.open();
    await expect(importing).rejects.toMatchObject({ reason: 'Cancelled' });
    expect(await dataSource.query('SELECT 1 FROM entry WHERE source_id NOT IN (SELECT id FROM source)')).toEqual([]);
  });
});
