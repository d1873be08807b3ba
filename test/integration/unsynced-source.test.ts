import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServedRegistry } from '#registry-api/served-registry.js';
import { onlyRegistry } from '#registry-api/served-registry.js';
import { PeerPods } from '#registry-api/peer-pods.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi, RegistryApiOptions } from '#registry-api/start-registry-api.js';
import { ALONE } from '#support/alone.js';
import { CatalogueRows } from '#support/catalogue-rows.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';

const served: ServedRegistry = {
  namespace: 'default',
  name: 'new',
  sources: ['good', 'bad'],
  auth: { mode: 'anonymous' },
};
const ROOTS = ['/v0.1', '/v0', '/registry/v0.1', '/registry/new/v0.1', '/registry/bad/v0.1'];

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Starts a database for the registry with an API over it, like those of a pod. */
async function startPod(options: Partial<RegistryApiOptions> = {}) {
  const database: TestDatabase = await createTestDatabase();
  cleanups.push(() => database.drop());
  const rows = await CatalogueRows.connect(database.app);
  cleanups.push(() => rows.end());
  const api: RegistryApi = await startRegistryApi({
    database: database.app,
    host: '127.0.0.1',
    port: 0,
    internalPort: 0,
    registries: onlyRegistry(served),
    ...ALONE,
    version: { version: '1.2.3', commit: 'abc', buildDate: '2026-11-22' },
    logger: pino({ level: 'silent' }),
    ...options,
  });
  cleanups.push(() => api.close());
  await api.catalogue.nextChange();
  return { api, rows };
}

/** Records a failed sync of the source. */
async function fail(rows: CatalogueRows, source: string): Promise<void> {
  await rows.query(
    `INSERT INTO sync_run (source_id, workflow_id, trigger, started_at, finished_at, failure_reason, failure_message)
     SELECT id, $1, 'schedule', now(), now(), 'Unreachable', 'the host is away' FROM source WHERE name = $1`,
    [source],
  );
  await rows.notify('default', 'new');
}

const entry = (name: string) => ({ name, version: '1.0.0' });

describe('a source that was never synced into this store', () => {
  let pod: Awaited<ReturnType<typeof startPod>>;
  const get = (path: string) => fetch(`${pod.api.url}${path}`);

  const expectUnavailable = async (path: string) => {
    const response = await get(path);
    expect([path, response.status]).toEqual([path, 503]);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await response.json()).toEqual({ error: expect.stringContaining('has not been synced') as unknown });
  };

  beforeEach(async () => {
    pod = await startPod();
  });

  it('causes a 503 for every list that would contain it, before and after its first failure, and for no other', async () => {
    const { api, rows } = pod;
    // The database does not know the registry yet, and then not its sources.
    for (const root of [...ROOTS, '/registry/good/v0.1']) await expectUnavailable(`${root}/servers`);
    await rows.addRegistry('default', 'new');
    await rows.addSource('default', 'new', 'good', 0);
    await rows.publish('default', 'new', 'good', [entry('io.good/one')]);
    await api.catalogue.nextChange();
    for (const root of ROOTS) await expectUnavailable(`${root}/servers`);
    await rows.addSource('default', 'new', 'bad', 1);
    await fail(rows, 'bad');
    await expect.poll(() => api.catalogue.snapshots?.get('default/new')?.sources.length).toBe(2);
    for (const root of ROOTS) {
      await expectUnavailable(`${root}/servers`);
      await expectUnavailable(`${root}/servers?search=x`);
      await expectUnavailable(`${root}/servers/io.good%2Fone/versions`);
      await expectUnavailable(`${root}/servers/io.unknown%2Fone/versions/latest`);
    }
    expect((await get('/registry/good/v0.1/servers')).status).toBe(200);
    expect((await get('/registry/nowhere/v0.1/servers')).status).toBe(404);

    // A source may be empty once it has been synced.
    await rows.publish('default', 'new', 'bad', []);
    await expect.poll(async () => (await get('/v0.1/servers')).status).toBe(200);
    for (const root of ROOTS) expect((await get(`${root}/servers`)).status).toBe(200);
  });

  it('does not apply to a managed source, whose entries are in the store itself', async () => {
    const { rows } = pod;
    await rows.addRegistry('default', 'new');
    await rows.addSource('default', 'new', 'good', 0, 'managed');
    await rows.addSource('default', 'new', 'bad', 1, 'managed');
    await rows.notify('default', 'new');
    await expect.poll(async () => (await get('/v0.1/servers')).status).toBe(200);
  });
});

describe('a new pod next to one that serves', () => {
  it('is not ready before it has what the other one has, and takes over when that stops', async () => {
    const old = await startPod();
    await old.rows.addRegistry('default', 'new');
    for (const [position, source] of ['good', 'bad'].entries()) {
      await old.rows.addSource('default', 'new', source, position);
      await old.rows.publish('default', 'new', source, [entry(`io.${source}/one`)]);
    }
    await expect.poll(() => old.api.ready().ready).toBe(true);

    const peers = new PeerPods(old.api.url);
    cleanups.push(() => peers.stop());
    const pod = await startPod({ peers });
    const watching = peers.watch(() => pod.api.ready().ready);
    await pod.rows.addRegistry('default', 'new');
    await pod.rows.addSource('default', 'new', 'good', 0);
    await pod.rows.addSource('default', 'new', 'bad', 1);
    await pod.rows.publish('default', 'new', 'good', [entry('io.good/one')]);
    await fail(pod.rows, 'bad');
    await expect
      .poll(() => pod.api.ready())
      .toMatchObject({ reason: expect.stringContaining('another pod') as unknown });
    expect((await fetch(`${pod.api.internalUrl}/readiness`)).status).toBe(503);

    await old.api.close();
    await expect.poll(() => pod.api.ready().ready).toBe(true);
    await watching;
  });

  it('is ready as soon as it has everything', async () => {
    const peers = new PeerPods('http://127.0.0.1:1');
    const pod = await startPod({ peers });
    await pod.rows.addRegistry('default', 'new');
    const sources = ['good', 'bad'];
    for (const [position, source] of sources.entries()) await pod.rows.addSource('default', 'new', source, position);
    for (const source of sources) await pod.rows.publish('default', 'new', source, []);
    await expect.poll(() => pod.api.ready().ready).toBe(true);
    const response = await fetch(`${pod.api.url}/readiness`);
    expect(await response.json()).toEqual({ status: 'ready' });
    expect(response.headers.get('x-registry-synced-sources')).toBe('2');
  });
});
