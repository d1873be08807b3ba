import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { StandaloneConfig } from '#environment/standalone-config.js';
import { readVersion } from '#environment/version.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { RegistryResource } from '#domain/resource-store.js';
import { createFileLogger } from '#observability/file-logger.js';
import { Nudger } from '#operator/nudger.js';
import { RegistryWorkflows } from '#operator/registry-workflows.js';
import type { Database } from '#persistence/database-place.js';
import { readStoreId } from '#persistence/migrate.js';
import type { RegistryDirectory } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { lockDirectory } from '#subprocess/directory-lock.js';
import { Pulse } from '#temporal/pulse.js';
import { installTemporalRuntime } from '#temporal/runtime.js';
import type { RunningWorker } from '#temporal/running-worker.js';
import { instanceTaskQueue, storeTaskQueue } from '#temporal/task-queues.js';
import { ConsoleReport } from './console-report.js';
import type { KnownRegistry } from './console-report.js';
import { demandFreePorts } from './demand-free-ports.js';
import { documentDirectory } from './document-directory.js';
import { DocumentStore } from './documents/document-store.js';
import { ensureInstanceId } from './kept-id.js';
import { launcher } from './launch.js';
import { isOffline } from './offline-sources.js';
import { obtainDatabase } from './obtain-database.js';
import { obtainTemporal } from './obtain-temporal.js';
import type { TemporalServer } from './obtain-temporal.js';
import { RowLeases } from './row-leases.js';
import { SharedProgress } from './shared-progress.js';
import { startWorkers } from './start-workers.js';
import { watchedSources } from './watched-sources.js';
import { keptWorkflows } from './kept-workflows.js';
import { StoreKeeper } from '#registry-api/sync/store-keeper.js';

/** Maximum wait for sources that have not been tried yet, before the report says "ready". */
const READY_PATIENCE_MS = 15_000;

export interface Surroundings {
  stdout(text: string): void;
  stderr(text: string): void;
  /** Stops everything that was started, at any time. */
  readonly signal: AbortSignal;
}

/** The parts that are running after the start. */
interface Parts {
  readonly documents: DocumentStore;
  readonly temporal: TemporalServer;
  readonly api: RegistryApi;
  readonly workflows: RegistryWorkflows;
  readonly workers: RunningWorker;
}

/**
 * Operator and registry server in one process, for a laptop or a VM. Resources come from files, and Postgres and
 * Temporal are started unless their addresses are configured. Everything else is the same as in a cluster.
 */
export class Standalone {
  private readonly dataDirectory: string;
  private readonly report: ConsoleReport;
  /** Undefined at first, because the API listens before Temporal is available. */
  private workflows: RegistryWorkflows | undefined;
  private pulse: Pulse | undefined;
  private temporalUiUrl: string | undefined;

  constructor(
    private readonly config: StandaloneConfig,
    private readonly surroundings: Surroundings,
  ) {
    this.dataDirectory = resolve(config.dataDirectory);
    this.report = new ConsoleReport(surroundings);
    surroundings.signal.addEventListener('abort', () => this.report.stopping(), { once: true });
  }

  /**
   * Runs until the signal aborts (returns) or a fatal error occurs (throws), in both cases after everything that was
   * started has stopped.
   */
  async run(): Promise<void> {
    await using stack = new AsyncDisposableStack();
    try {
      const parts = await this.start(stack);
      await Promise.race([this.serve(parts), parts.workers.ended]);
    } finally {
      this.report.done();
    }
  }

  /**
   * Starts all parts. Each part puts its own stop on the stack, so that all are stopped in reverse order, even if the
   * start fails.
   */
  private async start(stack: AsyncDisposableStack): Promise<Parts> {
    const { config, dataDirectory, report } = this;
    const { signal } = this.surroundings;
    const lock = await lockDirectory(dataDirectory);
    stack.defer(() => lock.release());
    const documents = await this.openDocuments();
    await demandFreePorts(config);
    const logger = await createFileLogger(join(dataDirectory, 'logs', 'standalone.log'), config.logLevel);
    installTemporalRuntime(logger);

    const { temporal, database, api } = await this.startServers(stack, documents, logger);

    report.step('starting workers');
    const instance = await ensureInstanceId(dataDirectory);
    const taskQueue = instanceTaskQueue(instance);
    const storeId = await readStoreId(database.app);
    const store = { id: storeId, taskQueue: storeTaskQueue({ instance }, storeId) };
    if (config.databaseUrl !== undefined) {
      const uids = () => documents.registries().map(({ ref }) => ref.uid);
      stack.use(new RowLeases(database.app, uids, logger));
    }
    const workflows = new RegistryWorkflows(temporal.access.client, taskQueue);
    this.workflows = workflows;
    const pulse = new Pulse(temporal.access.client);
    this.pulse = pulse;
    this.temporalUiUrl = config.temporalUiUrl ?? temporal.uiUrl;
    stack.defer(() => pulse.stop());
    const workers = await startWorkers({
      config,
      dataDirectory,
      documents,
      database,
      temporal: temporal.access,
      taskQueue,
      store,
      onRun: (registry, outcome) => {
        logger.info({ registry, outcome }, 'sync run ended');
        api.metrics.recordSync(registry, outcome);
        report.run(registry, outcome, {
          findFacts: () => workflows.findFacts(registry),
          isOffline: () => this.isOffline(documents, registry, outcome.source),
        });
      },
      logger,
    });
    stack.defer(() => workers.stop());
    signal.throwIfAborted();

    const keeper = new StoreKeeper(keptWorkflows(workflows, documents), store, logger);
    stack.defer(() => keeper.stop());
    this.watchDocuments(stack, documents, { workflows, keeper, logger });
    return { documents, temporal, api, workflows, workers };
  }

  /** Starts Temporal, the database and the API concurrently. */
  private async startServers(
    stack: AsyncDisposableStack,
    documents: DocumentStore,
    logger: Logger,
  ): Promise<Pick<Parts, 'temporal' | 'api'> & { readonly database: Database }> {
    const { config, dataDirectory, report } = this;
    const { signal } = this.surroundings;
    const shared = new SharedProgress(report);
    const launch = launcher(stack, signal);
    const startingTemporal = launch(
      (until) =>
        shared.during((progress) => obtainTemporal(config, dataDirectory, { logger, progress, signal: until })),
      (temporal) => temporal.stop(),
    );
    const startingDatabase = launch(
      (until) =>
        shared.during((progress) => obtainDatabase(config, dataDirectory, { logger, progress, signal: until })),
      (started) => started.stop(),
    );
    const startingApi = launch(
      async () => this.startApi(documents, (await startingDatabase).database, logger),
      (api) => api.close(),
    );
    // The first failure is reported; the others are only aborted because of it.
    const [temporal, { database }, api] = await Promise.all([startingTemporal, startingDatabase, startingApi]);
    return { temporal, database, api };
  }

  private async openDocuments(): Promise<DocumentStore> {
    const documents = await DocumentStore.open(this.config.paths, this.dataDirectory);
    this.report.documents(documents.faults(), documents.notices());
    if (documents.registries().length === 0) {
      throw new Error(`there is no usable MCPRegistry in ${this.config.paths.join(', ')}`);
    }
    return documents;
  }

  private async startApi(documents: DocumentStore, database: Database, logger: Logger): Promise<RegistryApi> {
    const { host, allowedHosts, port, internalPort } = this.config;
    return startRegistryApi({
      database: database.app,
      host,
      allowedHosts,
      port,
      internalPort,
      registries: documentDirectory(documents),
      references: documents,
      minSyncIntervalMs: this.config.minSyncIntervalMs,
      syncsAwaySince: () => this.pulse?.silentSince,
      temporalUi: () =>
        this.temporalUiUrl === undefined
          ? undefined
          : { url: this.temporalUiUrl, namespace: this.config.temporalNamespace },
      syncNow: async ({ namespace, name }, source, trigger) => {
        const found = documents.registries().find(({ ref }) => ref.namespace === namespace && ref.name === name);
        if (!found || !this.workflows) throw new Error('the workflow of the registry cannot be queried yet');
        return this.workflows.syncNow(found.ref, source, trigger);
      },
      version: await readVersion(),
      logger,
    });
  }

  /** Nudges every registry's workflow now and whenever its document changes. */
  private watchDocuments(
    stack: AsyncDisposableStack,
    documents: DocumentStore,
    { workflows, keeper, logger }: { workflows: RegistryWorkflows; keeper: StoreKeeper; logger: Logger },
  ): void {
    const nudger = new Nudger({
      nudge: async (registry) => {
        const resource = await documents.findRegistry(registry);
        if (!resource) return;
        const { generation, triggerToken } = resource;
        await workflows.nudge(registry, { generation, ...(triggerToken === undefined ? {} : { triggerToken }) });
        await keeper.keep(registry);
      },
      onFailure: (registry, err) => logger.warn({ registry, err }, 'could not signal a workflow'),
    });
    stack.defer(() => nudger.stop());
    const watch = documents.watch(({ nudged, faults, notices }) => {
      this.report.documents(faults, notices);
      for (const registry of nudged) nudger.enqueue(registry);
    });
    stack.defer(() => watch.close());
    for (const { ref } of documents.registries()) nudger.enqueue(ref);
  }

  /** Reports when every source has been tried, and waits for the signal. */
  private async serve({ documents, temporal, api, workflows }: Parts): Promise<void> {
    const { signal } = this.surroundings;
    this.report.step('waiting until every source has been tried');
    await this.awaitTries(api);
    const directory = documentDirectory(documents);
    const served = documents.registries().filter(({ deleting }) => !deleting);
    const facts = await Promise.all(served.map((resource) => this.describeRegistry(resource, workflows, directory)));
    signal.throwIfAborted();
    this.report.ready(facts, { api: this.apiUrl(api), temporal });
    if (!signal.aborted) await once(signal, 'abort');
  }

  private async describeRegistry(
    resource: RegistryResource,
    workflows: RegistryWorkflows,
    directory: RegistryDirectory,
  ): Promise<KnownRegistry> {
    const { namespace, name } = resource.ref;
    const facts = await workflows.findFacts(resource.ref).catch(() => undefined);
    const unreachable = (facts?.sources ?? []).filter(({ failure }) => failure?.reason === 'Unreachable');
    const offline = await Promise.all(
      unreachable.map(async (source) =>
        (await isOffline(resource, source.name, this.config.urlRewrites)) ? [source.name] : [],
      ),
    );
    return {
      ref: resource.ref,
      facts,
      watched: watchedSources(resource),
      offline: new Set(offline.flat()),
      views: directory.find(namespace, name)?.views,
    };
  }

  private async isOffline(documents: DocumentStore, registry: RegistryRef, source: string): Promise<boolean> {
    const resource = await documents.findRegistry(registry);
    return resource !== undefined && isOffline(resource, source, this.config.urlRewrites);
  }

  /**
   * Waits until every source has been tried. The deadline counts from now, when syncs can run, because starting a
   * Temporal server takes longer than the limit of `ready()`.
   */
  private async awaitTries(api: RegistryApi): Promise<void> {
    for (const deadline = Date.now() + READY_PATIENCE_MS; Date.now() < deadline;) {
      const awaited = api.awaited();
      if (awaited === undefined) return;
      this.report.step(awaited);
      await sleep(100, undefined, { signal: this.surroundings.signal });
    }
  }

  /** Returns a URL for people to click. */
  private apiUrl(api: RegistryApi): string {
    const url = new URL(api.url);
    if (url.hostname === '127.0.0.1') url.hostname = 'localhost';
    return url.origin;
  }
}
