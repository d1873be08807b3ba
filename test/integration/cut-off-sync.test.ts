import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { syncActivities } from '#activities/index.js';
import type { SyncActivities } from '#activities/contract.js';
import { toWanted } from '#activities/plan.js';
import { ImportThreads } from '#activities/sync/import-threads.js';
import { Semaphore } from '#concurrency/semaphore.js';
import { syncWorkflowId } from '#domain/registry-ref.js';
import type { SyncRequest } from '#domain/sync.js';
import { CATALOGUE_CHANNEL } from '#persistence/catalogue-channel.js';
import { createDataSource } from '#persistence/database.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import { RefusedParameters } from '#sources/api/refused-parameters.js';
import type { SyncResources } from '#spec/sync-resources.js';
import { asActivityOf } from '#support/activity-context.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { CutOff, CutOffPostgres } from '#support/cut-off.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';
import { eventually } from '#support/eventually.js';
import { IMPORT_THREAD } from '#support/start-sync-worker.js';
import { at, UpstreamRegistry } from '#support/upstream-registry.js';

const SERVERS = 12;
/** A sync sends more statements than this. Fewer points would show that the proxy does not see them. */
const LEAST_POINTS = 30;

/** Number of runs of a source that its history keeps. */
const KEPT_RUNS = 200;

const registry = { namespace: 'default', name: 'team', uid: randomUUID() };
const upstream = new UpstreamRegistry(SERVERS / 2);
const cutOff = new CutOff();
const ends = new AsyncDisposableStack();
let database: TestDatabase;
let dataSource: DataSource;
let activities: SyncActivities;
/** Creates what the next process does not share with the one that was cut off: its connections. */
let startProcess: () => Promise<void>;
let directory: string;
let endpoint: string;
let notified = 0;
/** The number of the current spec, of the current content of the sources, and of the run that syncs them. */
let edition = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  ends.defer(() => database.drop());
  const { host, database: name } = database.app;
  const proxy = ends.use(await CutOffPostgres.before({ path: join(host, '.s.PGSQL.5432') }, cutOff));
  const access = { ...database.app, host: '127.0.0.1', port: proxy.port, sslMode: 'disable' as const };
  const listener = new pg.Client({ host, database: name, user: database.app.user });
  await listener.connect();
  ends.defer(() => listener.end());
  listener.on('notification', () => void notified++);
  await listener.query(`LISTEN ${CATALOGUE_CHANNEL}`);

  directory = await mkdtemp(join(tmpdir(), 'cut-off-sync-'));
  ends.defer(() => rm(directory, { recursive: true, force: true }));
  endpoint = await upstream.listen();
  ends.defer(() => upstream.close());
  const threads = { threads: 1, memoryMiB: 128, deadlineMs: 60_000 };
  const imports = ends.use(new ImportThreads(threads, IMPORT_THREAD));
  const walks = ends.use(new ImportThreads(threads, IMPORT_THREAD));
  ends.defer(() => dataSource.destroy());
  startProcess = async () => {
    await dataSource?.destroy();
    dataSource = await createDataSource(access, { maxConnections: 5, onError: () => undefined }).initialize();
    activities = syncActivities({
      resources: { findWanted, configMapKey, configMapKeys, secretKey: configMapKey } satisfies SyncResources,
      catalogue: new RegistryCatalogue(dataSource),
      database: access,
      semaphores: { looks: new Semaphore(2), fetches: new Semaphore(2), downloads: new Semaphore(2) },
      imports,
      walks,
      refusals: new RefusedParameters(),
      version: 'test',
      settings: {
        urlRewrites: [],
        allowLocalGit: false,
        maxFileBytes: 1e6,
        fetchTimeoutMs: 20_000,
        volumes: new Map(),
      },
      minSyncIntervalMs: 1_000,
      cacheDirectory: directory,
    });
  };
  await startProcess();
});

afterAll(() => ends.disposeAsync());

const SOURCES = {
  file: { configMapRef: { name: 'catalogue', key: 'registry.json' } },
  get pages() {
    return { api: { endpoint } };
  },
};
type Source = keyof typeof SOURCES;

/** Each edition of the spec has another filter. */
const hidden = () => edition % SERVERS;
let synced: Source;

async function findWanted() {
  const filter = { names: { exclude: [`*/server-${padded(hidden())}`] } };
  const registries = [{ name: synced, ...SOURCES[synced], filter }];
  const spec = { auth: { mode: 'anonymous' }, registries };
  return toWanted({ ref: registry, spec, generation: edition, triggerToken: undefined });
}

async function configMapKey(): Promise<Uint8Array> {
  return Buffer.from(toolhiveCatalogue(SERVERS, edition));
}

async function configMapKeys(): Promise<ReadonlyMap<string, Uint8Array>> {
  return new Map([['registry.json', await configMapKey()]]);
}

const padded = (index: number) => String(index).padStart(6, '0');

function publishEdition(): void {
  edition += 1;
  upstream.entries = Array.from({ length: SERVERS }, (_, index) => ({
    name: `io.github.stacklok/server-${padded(index)}`,
    description: `Server number ${index}, edition ${edition}`,
    updatedAt: at(edition),
  }));
}

/** Runs the activities of one sync in the order of its workflow. Each of them survives being cut off. */
async function sync(): Promise<void> {
  const [source, run, startedAt] = [synced, edition, Date.now()];
  const store = { id: 'store', taskQueue: 'queue' };
  const request: SyncRequest = { registry, source, address: 'x', run, trigger: 'interval', store };
  const step = <T>(work: () => Promise<T>) =>
    cutOff.survive(() => asActivityOf(syncWorkflowId(registry, source, run), work), startProcess);
  await cutOff.survive(() => activities.adoptPlan(registry, edition), startProcess);
  await step(() => activities.applyFilter(request));
  const resolved = await step(() => activities.resolveRevision(request));
  const { revision, counts } = await step(() => activities.importRevision(request, resolved));
  const times = { startedAt, finishedAt: Date.now() };
  const outcome = { source, run, trigger: 'interval', storeId: store.id, ...times, revision } as const;
  await step(() => activities.recordSyncRun(request, { ...outcome, ...(counts && { counts }) }));
}

const query = <Row>(sql: string): Promise<Row[]> => dataSource.query(sql);

/** Returns what a sync leaves behind: rows, history, marks of its progress and files. */
async function leftBehind() {
  const served = await query<{ line: string }>(
    `SELECT name || ' ' || description AS line FROM entry WHERE deleted_at IS NULL AND hidden_by IS NULL ORDER BY name`,
  );
  const [source] = await query(
    `SELECT fence, served_count, hidden_count, syncing_since, filter_hash = synced_filter_hash AS is_filtered FROM source`,
  );
  const runs = await query(`SELECT workflow_id, count(DISTINCT revision)::int AS revisions, failure_reason
                              FROM sync_run GROUP BY workflow_id, failure_reason ORDER BY max(started_at) DESC LIMIT 1`);
  const [history] = await query(
    'SELECT count(*)::int AS runs, count(DISTINCT revision)::int AS revisions FROM sync_run',
  );
  const staged = await query('SELECT walk FROM staged_walk');
  const files = (await readdir(directory, { recursive: true })).filter((name) => name.endsWith('.json'));
  return { served: served.map(({ line }) => line), source, runs, history, staged, files };
}

it.each(['file', 'pages'] as const)(
  'a %s sync whose process is killed before any of its statements leaves what an undisturbed one leaves',
  async (source) => {
    synced = source;
    const first = edition;
    let points = 0;
    for (let isReached = true; isReached; points++) {
      publishEdition();
      notified = 0;
      cutOff.before(points + 1);
      await sync().catch((error: unknown) => {
        throw new Error(`killed before statement ${points + 1}`, { cause: error });
      });
      // A cut that was reached has been healed.
      isReached = cutOff.left === Infinity;
      cutOff.heal();
      const lines = Array.from({ length: SERVERS }, (_, index) => index)
        .filter((index) => index !== hidden())
        .map((index) => `io.github.stacklok/server-${padded(index)} Server number ${index}, edition ${edition}`);
      const kept = Math.min(edition - first, KEPT_RUNS);
      expect(await leftBehind(), `killed before statement ${points + 1}`).toEqual({
        served: lines,
        source: {
          fence: String(edition),
          served_count: SERVERS - 1,
          hidden_count: 1,
          syncing_since: null,
          is_filtered: true,
        },
        runs: [{ workflow_id: syncWorkflowId(registry, source, edition), revisions: 1, failure_reason: null }],
        history: { runs: kept, revisions: kept },
        staged: [],
        files: [],
      });
      await eventually(() => notified || undefined);
    }
    expect(points).toBeGreaterThan(LEAST_POINTS);
  },
);
