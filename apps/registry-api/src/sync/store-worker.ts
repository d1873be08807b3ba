import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { ImportThreads } from '#activities/sync/import-threads.js';
import type { SyncWorld } from '#activities/sync/sync-world.js';
import { Semaphore } from '#concurrency/semaphore.js';
import type { ServeConfig } from '#environment/serve-config.js';
import type { Store } from '#domain/sync.js';
import { createDataSource } from '#persistence/database.js';
import type { Database } from '#persistence/database-place.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import { FETCH_TIMEOUT_MS, MAX_FILE_BYTES } from '#sources/source.js';
import type { SourceSettings } from '#sources/context.js';
import type { TemporalAccess } from '#temporal/connect.js';
import type { RunningWorker } from '#temporal/running-worker.js';
import { RefusedParameters } from '#sources/api/refused-parameters.js';
import { memoryShareMiB } from '../memory-share.js';
import type { PodResources } from '../resources/pod-resources.js';
import type { ServerMetrics } from '../server-metrics.js';
import { startSyncWorker } from './sync-worker.js';

/**
 * Maximum number of concurrent checks of sources. It exceeds the number of sources of a registry, because most checks
 * wait for the network, and no check may wait for another whose host hangs. A waiting HTTP request costs almost
 * nothing; a waiting git process takes some 2 MB in addition to shared memory.
 */
const LOOKS = 64;

/**
 * Maximum number of concurrent downloads by git. A process that unpacks takes tens of megabytes, but a process whose
 * host hangs never gets that far.
 */
const DOWNLOADS = 4;

/** Maximum connections. Activities use one only for short statements. */
const CONNECTIONS = 5;

/** There is only one thread, because it gets as much memory as this pod can provide. Other jobs wait in a queue. */
const IMPORTS = { threads: 1, deadlineMs: 10 * 60_000 };
const WALKS = { threads: 2, deadlineMs: 10 * 60_000 };

/**
 * Time for running tasks to finish, and time after which they are abandoned. Both are within the 30 s that a pod has to
 * stop.
 */
const GRACE = { softMs: 10_000, hardMs: 20_000 };

export interface StoreWorkerOptions {
  readonly config: ServeConfig;
  readonly database: Database;
  readonly resources: PodResources;
  readonly temporal: TemporalAccess;
  readonly namespace: string;
  readonly store: Store;
  readonly version: string;
  readonly metrics: ServerMetrics;
  readonly logger: Logger;
}

/**
 * Starts the worker of the store, with its own connections and threads. All of them are closed when the worker stops or
 * cannot start.
 */
export async function startStoreWorker(options: StoreWorkerOptions): Promise<RunningWorker> {
  const { config, database, resources, temporal, namespace, store, version, metrics, logger } = options;
  await using starting = new AsyncDisposableStack();
  const dataSource = createDataSource(database.app, {
    maxConnections: CONNECTIONS,
    onError: (err) => logger.debug({ err }, 'an idle database connection broke'),
  });
  await dataSource.initialize();
  starting.defer(() => dataSource.destroy());
  const imports = starting.use(
    new ImportThreads({ ...IMPORTS, memoryMiB: memoryShareMiB(0.3, { least: 96, most: 512 }) }),
  );
  const walks = starting.use(
    new ImportThreads({ ...WALKS, memoryMiB: memoryShareMiB(0.15, { least: 64, most: 128 }) }),
  );
  const world: SyncWorld = {
    resources,
    catalogue: new RegistryCatalogue(dataSource),
    database: database.app,
    semaphores: {
      looks: new Semaphore(LOOKS),
      fetches: new Semaphore(LOOKS),
      downloads: new Semaphore(DOWNLOADS),
    },
    imports,
    walks,
    refusals: new RefusedParameters(),
    version,
    settings: sourceSettings(config, resources, logger),
    minSyncIntervalMs: config.minSyncIntervalMs,
    cacheDirectory: join(resolve(config.dataDirectory), 'cache'),
    onRun(registry, outcome) {
      logger.info({ outcome }, 'sync run ended');
      metrics.recordSync(registry, outcome);
    },
  };
  const worker = await startSyncWorker({
    connection: temporal.connection,
    namespace,
    identity: config.podName,
    grace: GRACE,
    store,
    world,
  });
  imports.warmUp();
  const owned = starting.move();
  return {
    ended: worker.ended,
    async stop() {
      await worker.stop();
      await owned.disposeAsync();
    },
  };
}

function sourceSettings(config: ServeConfig, resources: PodResources, logger: Logger): SourceSettings {
  return {
    urlRewrites: config.urlRewrites,
    allowLocalGit: config.allowLocalGit,
    addressPolicy: config.allowPrivateSources ? 'private-allowed' : 'public-only',
    concealedCause: (cause) => logger.warn({ cause }, 'source at a private address failed'),
    maxFileBytes: MAX_FILE_BYTES,
    fetchTimeoutMs: FETCH_TIMEOUT_MS,
    // A getter, because claims are added and removed with the configuration.
    get volumes() {
      return resources.claims;
    },
    environment: process.env,
  };
}
