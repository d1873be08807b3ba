import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { pino } from 'pino';
import { ImportThreads } from '#activities/sync/import-threads.js';
import { Semaphore } from '#concurrency/semaphore.js';
import type { SyncWorld } from '#activities/sync/sync-world.js';
import type { SyncResources } from '#spec/sync-resources.js';
import type { Store } from '#domain/sync.js';
import { createDataSource } from '#persistence/database.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import { startSyncWorker } from '#registry-api/sync/sync-worker.js';
import type { SourceSettings } from '#sources/context.js';
import { DocumentStore } from '#standalone/documents/document-store.js';
import { connectTemporal } from '#temporal/connect.js';
import { installTemporalRuntime } from '#temporal/runtime.js';
import { RefusedParameters } from '#sources/api/refused-parameters.js';

/** Options in plain data, so that they can be passed to another process. */
export interface TestSyncWorkerOptions {
  readonly temporalAddress: string;
  readonly store: Store;
  readonly database: DatabaseAccess;
  /** Path of a folder with manifests. */
  readonly manifests: string;
  /** Path of a folder for the state of the document store and for the worker's own files. */
  readonly directory: string;
  readonly minSyncIntervalMs: number;
  readonly settings: Partial<Omit<SourceSettings, 'environment' | 'volumes'>>;
  readonly volumes: readonly (readonly [claim: string, directory: string])[];
}

/** The compiled module, because threads run compiled code. The global setup of the test run has just built it. */
export const IMPORT_THREAD = new URL('../../dist/activities/sync/import.thread.js', import.meta.url);

/** Starts the sync worker of a store as the product's processes do, with smaller limits for tests. */
export async function startTestSyncWorker(
  options: TestSyncWorkerOptions,
  { resources, onRun }: { resources: SyncResources; onRun?: SyncWorld['onRun'] },
): Promise<() => Promise<void>> {
  const { database, store, directory, minSyncIntervalMs } = options;
  const dataSource = await createDataSource(database, { maxConnections: 5, onError: () => undefined }).initialize();
  const temporal = await connectTemporal({ address: options.temporalAddress, namespace: 'default' });
  const walks = new ImportThreads({ threads: 2, memoryMiB: 128, deadlineMs: 60_000 }, IMPORT_THREAD);
  const imports = new ImportThreads({ threads: 2, memoryMiB: 256, deadlineMs: 60_000 }, IMPORT_THREAD);
  const worker = await startSyncWorker({
    connection: temporal.connection,
    namespace: 'default',
    identity: `test-${process.pid}`,
    grace: { softMs: 500, hardMs: 2_000 },
    store,
    world: {
      resources,
      minSyncIntervalMs,
      catalogue: new RegistryCatalogue(dataSource),
      version: 'test',
      database,
      cacheDirectory: join(directory, 'cache'),
      walks,
      semaphores: { looks: new Semaphore(30), fetches: new Semaphore(30), downloads: new Semaphore(4) },
      imports,
      refusals: new RefusedParameters(),
      settings: {
        urlRewrites: [],
        allowLocalGit: false,
        maxFileBytes: 64 * 1024 * 1024,
        fetchTimeoutMs: 20_000,
        environment: process.env,
        ...options.settings,
        volumes: new Map(options.volumes),
      },
      ...(onRun ? { onRun } : {}),
    },
  });
  return async () => {
    await worker.stop();
    await Promise.all([walks[Symbol.asyncDispose](), imports[Symbol.asyncDispose]()]);
    await temporal.close();
    await dataSource.destroy();
  };
}

/** Runs as a separate process for tests that kill it. Everything is loaded before the options arrive. */
if (process.argv[1] === import.meta.filename) {
  installTemporalRuntime(pino({ level: 'silent' }));
  process.stdout.write('loaded\n');
  for await (const line of createInterface(process.stdin)) {
    const options = JSON.parse(line) as TestSyncWorkerOptions;
    const resources = await DocumentStore.open([options.manifests], join(options.directory, 'data'));
    await startTestSyncWorker(options, { resources });
    process.stdout.write('started\n');
  }
}
