import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { ImportThreads } from '#activities/sync/import-threads.js';
import type { SyncWorld } from '#activities/sync/sync-world.js';
import { Semaphore } from '#concurrency/semaphore.js';
import { readVersion } from '#environment/version.js';
import type { StandaloneConfig } from '#environment/standalone-config.js';
import type { Store } from '#domain/sync.js';
import { startRegistryWorker } from '#operator/registry-worker.js';
import { createDataSource } from '#persistence/database.js';
import type { Database } from '#persistence/database-place.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import { startSyncWorker } from '#registry-api/sync/sync-worker.js';
import { FETCH_TIMEOUT_MS, MAX_FILE_BYTES } from '#sources/source.js';
import type { RunningWorker } from '#temporal/running-worker.js';
import type { TemporalAccess } from '#temporal/connect.js';
import { RefusedParameters } from '#sources/api/refused-parameters.js';
import type { DocumentStore } from './documents/document-store.js';
import { unprovisionStored } from './unprovision.js';

/** Maximum concurrent checks of sources, across all registries. */
const LOOKS = 64;
/** Maximum concurrent downloads by git. A process that unpacks takes tens of megabytes. */
const DOWNLOADS = 16;

export interface WorkersOptions {
  readonly config: StandaloneConfig;
  readonly dataDirectory: string;
  readonly documents: DocumentStore;
  readonly database: Database;
  readonly temporal: TemporalAccess;
  /** Task queue of the workflows. A store has its own. */
  readonly taskQueue: string;
  readonly store: Store;
  readonly onRun: NonNullable<SyncWorld['onRun']>;
  readonly logger: Logger;
}

/** Runs the workflows and every activity of the registries in the documents. */
export async function startWorkers(options: WorkersOptions): Promise<RunningWorker> {
  const { config, documents, database, temporal, taskQueue, store, logger } = options;
  await using starting = new AsyncDisposableStack();
  const dataSource = createDataSource(database.app, {
    maxConnections: 10,
    onError: (err) => logger.warn({ err }, 'an idle database connection broke'),
  });
  await dataSource.initialize();
  starting.defer(() => dataSource.destroy());

  const { version } = await readVersion();
  const catalogue = new RegistryCatalogue(dataSource, config.databaseUrl !== undefined);
  const cacheDirectory = join(options.dataDirectory, 'cache');
  const shared = {
    connection: temporal.connection,
    namespace: config.temporalNamespace,
    identity: `standalone@${hostname()}`,
    grace: { softMs: 1_000, hardMs: 3_000 },
  };
  const world = { resources: documents, minSyncIntervalMs: config.minSyncIntervalMs };
  const registryWorker = await startRegistryWorker({
    ...shared,
    taskQueue,
    world: {
      ...world,
      unprovision: unprovisionStored(catalogue, documents, cacheDirectory),
    },
  });
  starting.defer(() => registryWorker.stop());
  const syncWorker = await startSyncWorker({
    ...shared,
    store,
    world: { ...world, ...syncParts(options, starting), catalogue, cacheDirectory, version },
  });
  const started = starting.move();
  return {
    ended: Promise.race([registryWorker.ended, syncWorker.ended]),
    async stop() {
      await Promise.all([registryWorker.stop(), syncWorker.stop()]);
      await started.disposeAsync();
    },
  };
}

/** Returns the resources that all syncs share: threads, semaphores and settings. */
function syncParts(
  { config, database, onRun }: WorkersOptions,
  stack: AsyncDisposableStack,
): Pick<SyncWorld, 'database' | 'semaphores' | 'imports' | 'walks' | 'refusals' | 'settings' | 'onRun'> {
  const imports = stack.use(new ImportThreads({ threads: 2, memoryMiB: 512, deadlineMs: 10 * 60_000 }));
  const walks = stack.use(new ImportThreads({ threads: 2, memoryMiB: 128, deadlineMs: 10 * 60_000 }));
  imports.warmUp();
  return {
    database: database.app,
    semaphores: { looks: new Semaphore(LOOKS), fetches: new Semaphore(LOOKS), downloads: new Semaphore(DOWNLOADS) },
    imports,
    walks,
    refusals: new RefusedParameters(),
    settings: {
      urlRewrites: config.urlRewrites,
      allowLocalGit: config.allowLocalGit,
      addressPolicy: config.allowPrivateSources ? 'private-allowed' : 'public-only',
      maxFileBytes: MAX_FILE_BYTES,
      fetchTimeoutMs: FETCH_TIMEOUT_MS,
      volumes: config.volumes,
      environment: process.env,
    },
    onRun,
  };
}
