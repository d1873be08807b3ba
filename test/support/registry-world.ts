import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import type { RegistryFacts, SourceFacts } from '#domain/status/registry-facts.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { Store, SyncOutcome } from '#domain/sync.js';
import { Nudger } from '#operator/nudger.js';
import { RegistryWorkflows } from '#operator/registry-workflows.js';
import { startRegistryWorker } from '#operator/registry-worker.js';
import { confirmHeld } from '#persistence/confirm-held.js';
import { createDataSource } from '#persistence/database.js';
import { readStoreId } from '#persistence/migrate.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { documentDirectory } from '#standalone/document-directory.js';
import { DocumentStore } from '#standalone/documents/document-store.js';
import { keptWorkflows } from '#standalone/kept-workflows.js';
import { unprovisionStored } from '#standalone/unprovision.js';
import { StoreKeeper } from '#registry-api/sync/store-keeper.js';
import { connectTemporal } from '#temporal/connect.js';
import type { TemporalAccess } from '#temporal/connect.js';
import { ALONE } from './alone.js';
import { createTestDatabase } from './database.js';
import type { TestDatabase } from './database.js';
import { eventually } from './eventually.js';
import { silent } from './quiet-temporal.js';
import { startTestSyncWorker } from './start-sync-worker.js';
import type { TestSyncWorkerOptions } from './start-sync-worker.js';

export interface WorldOptions {
  readonly temporalAddress: string;
  readonly manifests: string;
  readonly settings?: TestSyncWorkerOptions['settings'];
  readonly volumes?: TestSyncWorkerOptions['volumes'];
  readonly minSyncIntervalMs?: number;
  /** Whether the test itself runs the sync worker, with the options in `syncWorker`. */
  readonly withoutSyncWorker?: true;
  /** Whether nothing here syncs, because the test starts a process that owns the store. */
  readonly withoutStore?: true;
  /** Heartbeat timeout. Default: ten seconds. */
  readonly heartbeatTimeoutMs?: number;
}

const STORE_CHECK_MS = 1_000;

/** Everything between a manifest and the database, in this process and with real servers. */
export class RegistryWorld {
  readonly runs: { registry: RegistryRef; outcome: SyncOutcome }[] = [];

  private constructor(
    readonly temporal: TemporalAccess,
    readonly workflows: RegistryWorkflows,
    readonly documents: DocumentStore,
    readonly database: TestDatabase,
    readonly dataSource: DataSource,
    /** The options with which the sync worker was started or is to be started. */
    readonly syncWorker: TestSyncWorkerOptions,
    /** The task queue of the workflows. */
    readonly taskQueue: string,
    private readonly nudger: Nudger,
    private readonly ends: (() => Promise<unknown>)[],
  ) {}

  static async start(options: WorldOptions): Promise<RegistryWorld> {
    const directory = await mkdtemp(join(tmpdir(), 'mcp-registry-world-'));
    const manifests = join(directory, 'manifests');
    await mkdir(manifests);
    await writeFile(join(manifests, 'registry.yaml'), options.manifests);
    const documents = await DocumentStore.open([manifests], join(directory, 'data'));
    const faults = documents.faults();
    if (faults.length > 0) throw new Error(JSON.stringify(faults));

    const database = await createTestDatabase();
    const dataSource = await createDataSource(database.app, {
      maxConnections: 5,
      onError: () => undefined,
    }).initialize();
    const catalogue = new RegistryCatalogue(dataSource);
    const temporal = await connectTemporal({ address: options.temporalAddress, namespace: 'default' });
    const taskQueue = `test-${randomUUID()}`;
    const workflows = new RegistryWorkflows(temporal.client, taskQueue);
    const storeId = await readStoreId(database.app);
    const { heartbeatTimeoutMs, minSyncIntervalMs = 100 } = options;
    const store: Store = {
      id: storeId,
      taskQueue: `registry/test/${storeId}`,
      ...(heartbeatTimeoutMs === undefined ? {} : { heartbeatTimeoutMs }),
    };
    const syncWorker: TestSyncWorkerOptions = {
      temporalAddress: options.temporalAddress,
      store,
      database: database.app,
      manifests,
      directory,
      minSyncIntervalMs,
      settings: options.settings ?? {},
      volumes: options.volumes ?? [],
    };
    const keeper = options.withoutStore
      ? undefined
      : new StoreKeeper(keptWorkflows(workflows, documents), store, silent, STORE_CHECK_MS);
    const nudger = new Nudger({
      async nudge(registry) {
        const resource = await documents.findRegistry(registry);
        if (!resource) return;
        await workflows.nudge(registry, { generation: resource.generation });
        await keeper?.keep(registry);
      },
      // Ignore failures, because the nudge is retried.
      onFailure: () => undefined,
    });
    const ends: (() => Promise<unknown>)[] = [];
    const self = new RegistryWorld(
      temporal,
      workflows,
      documents,
      database,
      dataSource,
      syncWorker,
      taskQueue,
      nudger,
      ends,
    );
    const registryWorker = await startRegistryWorker({
      connection: temporal.connection,
      namespace: 'default',
      identity: 'test',
      grace: { softMs: 500, hardMs: 2_000 },
      taskQueue,
      world: {
        resources: documents,
        minSyncIntervalMs,
        unprovision: unprovisionStored(catalogue, documents, join(directory, 'cache')),
      },
    });
    const stopSyncWorker =
      options.withoutSyncWorker || options.withoutStore
        ? undefined
        : await startTestSyncWorker(syncWorker, {
            resources: documents,
            onRun: (registry, outcome) => void self.runs.push({ registry, outcome }),
          });
    const watch = documents.watch(({ nudged }) => nudged.forEach((registry) => nudger.enqueue(registry)));
    ends.push(
      () => watch.close(),
      async () => nudger.stop(),
      async () => keeper?.stop(),
      () => Promise.all([registryWorker.stop(), stopSyncWorker?.()]),
      () => dataSource.destroy(),
      () => temporal.close(),
      () => database.drop(),
      () => rm(directory, { recursive: true, force: true }),
    );
    for (const { ref } of documents.registries()) nudger.enqueue(ref);
    return self;
  }

  /** Returns the registry with this name. Without a name, returns the first one. */
  registryCalled(name?: string): RegistryRef {
    const found = this.documents.registries().find(({ ref }) => name === undefined || ref.name === name);
    if (!found) throw new Error(`there is no registry ${name}`);
    return found.ref;
  }

  get registry(): RegistryRef {
    return this.registryCalled();
  }

  /** Replaces a manifest atomically, as an editor would. */
  async edit(manifests: string, file = 'registry.yaml'): Promise<void> {
    const draft = join(this.syncWorker.directory, `${file}.draft`);
    await writeFile(draft, manifests);
    await rename(draft, join(this.syncWorker.manifests, file));
  }

  /** Starts an API over the database of this world. */
  async serve(minSyncIntervalMs = this.syncWorker.minSyncIntervalMs): Promise<RegistryApi> {
    const api = await startRegistryApi({
      database: this.database.app,
      host: '127.0.0.1',
      port: 0,
      internalPort: 0,
      registries: documentDirectory(this.documents),
      ...ALONE,
      references: this.documents,
      minSyncIntervalMs,
      syncNow: ({ name }, source, trigger) => this.workflows.syncNow(this.registryCalled(name), source, trigger),
      version: { version: 'test', commit: '', buildDate: '' },
      logger: silent,
    });
    this.ends.unshift(() => api.close());
    return api;
  }

  /**
   * Requests a sync as a user does over the API. The request is also the user's consent to a revision that is held
   * back.
   */
  async syncByUser(source: string): Promise<void> {
    const database = {
      query: async (sql: string, values: unknown[]) => ({ rows: await this.query<never>(sql, values) }),
    };
    await confirmHeld(database, this.registry, source);
    await this.workflows.syncNow(this.registry, source);
  }

  /** Waits until the n-th run of a source, starting at 1, has been recorded, and returns its outcome. */
  nthRun(source: string, n: number): Promise<SyncOutcome> {
    return eventually(() => this.runs.filter(({ outcome }) => outcome.source === source)[n - 1]?.outcome);
  }

  /** Waits until the workflow's facts about a source are as wanted, and returns them. */
  async source(name: string, wanted: (facts: SourceFacts) => boolean): Promise<SourceFacts> {
    return eventually(async () => {
      const found = (await this.facts())?.sources.find((source) => source.name === name);
      return found && wanted(found) ? found : undefined;
    });
  }

  /** Returns the facts of the workflow; undefined until it is running. */
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
