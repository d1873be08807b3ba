import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { ImportThreads } from '#activities/sync/import-threads.js';
import type { SyncWorld } from '#activities/sync/sync-world.js';
import { Turns } from '#activities/turns.js';
import type { ServeConfig } from '#config/serve-config.js';
import type { Store } from '#domain/sync.js';
import { createDataSource } from '#persistence/database.js';
import type { Database } from '#persistence/database.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import { FETCH_TIMEOUT_MS, MAX_FILE_BYTES } from '#sources/source.js';
import type { SourceSettings } from '#sources/source.js';
import type { TemporalAccess } from '#temporal/connect.js';
import type { RunningWorker } from '#temporal/running-worker.js';
import { memoryShareMiB } from '../memory-share.js';
import type { PodResources } from '../resources/pod-resources.js';
import type { ServerMetrics } from '../server-metrics.js';
import { startSyncWorker } from './sync-worker.js';

/**
 * More than a registry has sources: most of them wait for the network, and none must wait for a host that hangs. A request
 * costs next to nothing, a git that waits some 2 MB beside what all of them share.
 */
const TURNS = 64;

/** A git that unpacks takes tens of megabytes; of a host that hangs it has not come so far. */
const DOWNLOADS = 4;

/** Their turns with it are short. */
const CONNECTIONS = 5;

/** A thread has as much as this pod can give: what waits, waits outside of them. */
const IMPORTS = { threads: 1, deadlineMs: 10 * 60_000 };
const WALKS = { threads: 2, deadlineMs: 10 * 60_000 };

/** A task gets so long to end, then is given up: both within the 30 s that a pod has. */
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

/** The worker beside the store, with its own connections to it and its threads. */
export async function startStoreWorker(options: StoreWorkerOptions): Promise<RunningWorker> {
  const { config, database, resources, temporal, namespace, store, version, metrics, logger } = options;
  const dataSource = createDataSource(database.app, {
    maxConnections: CONNECTIONS,
    onError: (err) => logger.debug({ err }, 'an idle database connection broke'),
  });
  await dataSource.initialize();
  try {
    const imports = new ImportThreads({ ...IMPORTS, memoryMiB: memoryShareMiB(0.3, { least: 96, most: 512 }) });
    imports.warmUp();
    const world: SyncWorld = {
      resources,
      catalogue: new RegistryCatalogue(dataSource),
      database: database.app,
      turns: { looks: new Turns(TURNS), fetches: new Turns(TURNS), downloads: new Turns(DOWNLOADS) },
      imports,
      walks: new ImportThreads({ ...WALKS, memoryMiB: memoryShareMiB(0.15, { least: 64, most: 128 }) }),
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
    return {
      ended: worker.ended,
      async stop() {
        await worker.stop();
        await dataSource.destroy();
      },
    };
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
}

function sourceSettings(config: ServeConfig, resources: PodResources, logger: Logger): SourceSettings {
  return {
    urlRewrites: config.urlRewrites,
    allowLocalGit: config.allowLocalGit,
    addressPolicy: config.allowPrivateSources ? 'private-allowed' : 'public-only',
    concealedCause: (cause) => logger.warn({ cause }, 'source at a private address failed'),
    maxFileBytes: MAX_FILE_BYTES,
    fetchTimeoutMs: FETCH_TIMEOUT_MS,
    // Claims come and go with the configuration.
    get volumes() {
      return resources.claims;
    },
    environment: process.env,
  };
}
