import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { ImportThreads } from '#activities/sync/import-threads.js';
import type { RegistryFacts, SourceFacts } from '#domain/conditions.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { Store, SyncOutcome } from '#domain/sync.js';
import { Nudger } from '#operator/nudger.js';
import { RegistryWorkflows } from '#operator/registry-workflows.js';
import { startRegistryWorker } from '#operator/registry-worker.js';
import { createDataSource } from '#persistence/database.js';
import { readStoreId } from '#persistence/migrate.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import { startSyncWorker } from '#registry-api/sync/sync-worker.js';
import type { SourceSettings } from '#sources/source.js';
import { DocumentStore } from '#standalone/documents/document-store.js';
import { StoreKeeper } from '#standalone/store-keeper.js';
import { connectTemporal } from '#temporal/connect.js';
import type { TemporalAccess } from '#temporal/connect.js';
import { createTestDatabase } from './database.js';
import type { TestDatabase } from './database.js';
import { eventually } from './eventually.js';
import { silent } from './quiet-temporal.js';

/** Threads run compiled code: the run's global setup has just built it. */
export const IMPORT_THREAD = new URL('../../dist/activities/sync/import.thread.js', import.meta.url);

export interface WorldOptions {
  readonly temporalAddress: string;
  readonly manifests: string;
  readonly settings?: Partial<SourceSettings>;
  readonly minSyncIntervalMs?: number;
}

/** Everything between a manifest and the database, in this process, on real servers. */
export class RegistryWorld {
  readonly runs: { registry: RegistryRef; outcome: SyncOutcome }[] = [];

  private constructor(
    readonly temporal: TemporalAccess,
    readonly workflows: RegistryWorkflows,
    readonly documents: DocumentStore,
    readonly database: TestDatabase,
    readonly dataSource: DataSource,
    readonly store: Store,
    private readonly directory: string,
    private readonly nudger: Nudger,
    private readonly ends: (() => Promise<unknown>)[],
  ) {}

  static async start(options: WorldOptions): Promise<RegistryWorld> {
    const directory = await mkdtemp(join(tmpdir(), 'mcp-registry-world-'));
    await writeFile(join(directory, 'registry.yaml'), options.manifests);
    const documents = await DocumentStore.open([join(directory, 'registry.yaml')], join(directory, 'data'));
    const faults = documents.faults();
    if (faults.length > 0) throw new Error(JSON.stringify(faults));

    const database = await createTestDatabase();
    const dataSource = await createDataSource(database.app, {
      maxConnections: 5,
      onError: () => undefined,
    }).initialize();
    const catalogue = new RegistryCatalogue(dataSource);
    const temporal = await connectTemporal(options.temporalAddress, 'default');
    const taskQueue = `test-${randomUUID()}`;
    const workflows = new RegistryWorkflows(temporal.client, taskQueue);
    const storeId = await readStoreId(database.app);
    const store = { id: storeId, taskQueue: `registry/test/${storeId}` };
    const shared = {
      connection: temporal.connection,
      namespace: 'default',
      identity: 'test',
      grace: { softMs: 500, hardMs: 2_000 },
    };
    const world = { resources: documents, minSyncIntervalMs: options.minSyncIntervalMs ?? 100 };
    const keeper = new StoreKeeper(workflows, store, silent);
    const nudger = new Nudger({
      async nudge(registry) {
        const resource = await documents.findRegistry(registry);
        if (!resource) return;
        await workflows.nudge(registry, { generation: resource.generation });
        await keeper.keep(registry);
      },
      onFailure: (_registry, error) => {
        throw error;
      },
    });
    const ends: (() => Promise<unknown>)[] = [];
    const self = new RegistryWorld(
      temporal,
      workflows,
      documents,
      database,
      dataSource,
      store,
      directory,
      nudger,
      ends,
    );
    const registryWorker = await startRegistryWorker({
      ...shared,
      taskQueue,
      world: { ...world, unprovision: (registry) => catalogue.removeRegistry(registry) },
    });
    const syncWorker = await startSyncWorker({
      ...shared,
      store,
      maxConcurrentSyncs: 20,
      world: {
        ...world,
        catalogue,
        version: 'test',
        database: database.app,
        cacheDirectory: join(directory, 'cache'),
        walks: new ImportThreads({ threads: 4, memoryMiB: 128, deadlineMs: 60_000 }, IMPORT_THREAD),
        imports: new ImportThreads({ threads: 2, memoryMiB: 256, deadlineMs: 60_000 }, IMPORT_THREAD),
        settings: {
          urlRewrites: [],
          allowLocalGit: false,
          maxFileBytes: 64 * 1024 * 1024,
          fetchTimeoutMs: 20_000,
          volumes: new Map(),
          environment: process.env,
          ...options.settings,
        },
        onRun: (registry, outcome) => void self.runs.push({ registry, outcome }),
      },
    });
    const watch = documents.watch(({ nudged }) => nudged.forEach((registry) => nudger.enqueue(registry)));
    ends.push(
      () => watch.close(),
      async () => nudger.stop(),
      async () => keeper.stop(),
      () => Promise.all([registryWorker.stop(), syncWorker.stop()]),
      () => dataSource.destroy(),
      () => temporal.close(),
      () => database.drop(),
      () => rm(directory, { recursive: true, force: true }),
    );
    for (const { ref } of documents.registries()) nudger.enqueue(ref);
    return self;
  }

  /** The registry of the only document. */
  get registry(): RegistryRef {
    const [resource] = this.documents.registries();
    if (!resource) throw new Error('there is no registry');
    return resource.ref;
  }

  /** Replaces the manifest, as an editor would. */
  async edit(manifests: string): Promise<void> {
    await writeFile(join(this.directory, 'registry.yaml'), manifests);
  }

  /** What came of the n-th run of a source, counted from 1, once it is written down. */
  nthRun(source: string, n: number): Promise<SyncOutcome> {
    return eventually(() => this.runs.filter(({ outcome }) => outcome.source === source)[n - 1]?.outcome);
  }

  /** What the workflow knows of a source, once it is as wanted. */
  async source(name: string, wanted: (facts: SourceFacts) => boolean): Promise<SourceFacts> {
    return eventually(async () => {
      const found = (await this.facts())?.sources.find((source) => source.name === name);
      return found && wanted(found) ? found : undefined;
    });
  }

  /** Undefined until the workflow runs. */
  facts(): Promise<RegistryFacts | undefined> {
    return this.workflows.findFacts(this.registry).catch(() => undefined);
  }

  async query<Row>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return this.dataSource.query(sql, parameters);
  }

  async stop(): Promise<void> {
    for (const end of this.ends) await end();
  }
}
