import { once } from 'node:events';
import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { serverOrigin } from '#spec/pod-paths.js';
import type { ServeConfig } from '#environment/serve-config.js';
import { readVersion } from '#environment/version.js';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { ServerTrouble } from '#domain/workload.js';
import { inClusterAccess } from '#kubernetes/in-cluster.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { Database } from '#persistence/database-place.js';
import { startEmbeddedPostgres } from '#persistence/embedded/start-embedded-postgres.js';
import { lockDirectory } from '#subprocess/directory-lock.js';
import type { TemporalEndpoint } from '#temporal/connect.js';
import { readMountedEndpoint } from '#temporal/mounted-endpoint.js';
import { installTemporalRuntime } from '#temporal/runtime.js';
import { storeTaskQueue } from '#temporal/task-queues.js';
import { findSource } from '#sources/index.js';
import { configuredDatabase } from './configured-database.js';
import { configuredRegistry } from './configured-registry.js';
import { openDatabase } from './open-database.js';
import { identifyRegistry } from './identify-registry.js';
import { API_LIMITS } from './limits.js';
import { StoreLease } from './store-lease.js';
import { LiveConfig } from './resources/live-config.js';
import { PodResources } from './resources/pod-resources.js';
import { PeerPods } from './peer-pods.js';
import { startRegistryApi } from './start-registry-api.js';
import type { RegistryApi } from './start-registry-api.js';
import { Discovery } from './sync/discovery.js';
import { SourceNudges } from './sync/source-nudges.js';
import { SyncLink } from './sync/sync-link.js';
import { SyncTrigger } from './sync/sync-trigger.js';
import { startStoreWorker } from './sync/store-worker.js';

interface Surroundings {
  /** Ends everything, in order. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/**
 * The server of one registry: answers from memory, keeps the data in its database and syncs what the workflow of the
 * registry asks for. It listens whether or not database and Temporal are there. Returns when the signal has ended it.
 */
export async function serve(config: ServeConfig, { signal, logger }: Surroundings): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { config: live, identity } = await LiveConfig.open(config.configFile, logger);
  stack.defer(() => live.stop());
  const registry = identifyRegistry(config, identity);
  const { namespace } = await temporalEndpoint(config);
  installTemporalRuntime(logger);

  const lock = await lockDirectory(resolve(config.dataDirectory));
  stack.defer(() => lock.release());
  const database = await obtainDatabase(stack, config, live, { signal, logger });
  const cluster = clusterOf(stack, config);
  const resources = podResources(config, registry, live, cluster);
  const version = await readVersion();
  const parts: ServerParts = { config, live, registry, database, resources, version, logger, progress: { namespace } };

  const api = await startApi(stack, parts);
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  const link = createSyncLink(stack, parts, { metrics: api.metrics, onLost: lost.reject });
  parts.progress.link = link;
  stack.defer(async () => {
    api.drain();
    await Promise.all([link.stop(), delay(API_LIMITS.drainMs)]);
  });
  if (cluster) discover(stack, { cluster, registry, live, link, logger });
  logger.info({ registry, url: api.url, version: version.version }, 'serving');
  if (!signal.aborted) await Promise.race([once(signal, 'abort'), lost.promise]);
  logger.info('stopping');
}

interface ServerParts {
  readonly config: ServeConfig;
  readonly live: LiveConfig;
  readonly registry: RegistryRef;
  readonly database: Database;
  readonly resources: PodResources;
  readonly version: Awaited<ReturnType<typeof readVersion>>;
  readonly logger: Logger;
  readonly progress: Progress;
}

/** How far the server is: the API listens before database and Temporal are there. */
interface Progress {
  link?: SyncLink;
  /** Why the database cannot be used. */
  trouble?: ServerTrouble | undefined;
  /** The namespace in Temporal. */
  namespace: string;
}

async function startApi(stack: AsyncDisposableStack, parts: ServerParts): Promise<RegistryApi> {
  const { config, live, registry, database, resources, version, logger, progress } = parts;
  const { uiUrl } = config.temporal;
  const peers = config.inCluster ? new PeerPods(serverOrigin(registry)) : undefined;
  const api = await startRegistryApi({
    database: database.app,
    host: config.host,
    port: config.port,
    internalPort: config.internalPort,
    registries: configuredRegistry(registry, live),
    references: resources,
    async syncNow(_registry, source, trigger) {
      if (!progress.link) throw new Error('the workflow of the registry cannot be asked yet');
      return progress.link.syncNow(source, trigger);
    },
    minSyncIntervalMs: config.minSyncIntervalMs,
    syncsAwaySince: () => progress.link?.awaySince,
    temporalUi: () => (uiUrl === undefined ? undefined : { url: uiUrl, namespace: progress.namespace }),
    databaseTrouble: () => progress.trouble && `${progress.trouble.reason}: ${progress.trouble.message}`,
    ...(peers && { peers }),
    version,
    logger,
  });
  stack.defer(() => api.close());
  stack.defer(() => peers?.stop());
  void peers?.watch(() => api.ready().ready);
  return api;
}

interface SyncHooks {
  readonly metrics: RegistryApi['metrics'];
  /** Called when another server has claimed the database. */
  onLost(error: unknown): void;
}

function createSyncLink(stack: AsyncDisposableStack, parts: ServerParts, { metrics, onLost }: SyncHooks): SyncLink {
  const { config, registry, database, resources, version, logger, progress } = parts;
  return new SyncLink({
    registry,
    async endpoint() {
      const found = await temporalEndpoint(config);
      progress.namespace = found.namespace;
      return found;
    },
    async openStore({ signal, onTrouble }) {
      const id = await openDatabase(database, registry, {
        signal,
        onFault({ reason, message }) {
          const trouble = { pod: config.podName, reason, message };
          progress.trouble = trouble;
          logger.warn({ reason, fault: message }, 'the database cannot be used yet');
          onTrouble(trouble);
        },
      });
      progress.trouble = undefined;
      const lease = stack.use(new StoreLease(database.app, { uid: registry.uid, storeId: id }, logger));
      lease.lost.catch(onLost);
      return { id, taskQueue: storeTaskQueue({ uid: registry.uid, pod: config.podHash }, id) };
    },
    startWorker: (temporal, { namespace }, store) =>
      startStoreWorker({
        config,
        database,
        resources,
        temporal,
        namespace,
        store,
        version: version.version,
        metrics,
        logger,
      }),
    logger,
  });
}

async function temporalEndpoint({ temporal }: ServeConfig): Promise<TemporalEndpoint> {
  const mounted = await readMountedEndpoint(temporal.directory);
  if (mounted) return mounted;
  const { address, namespace } = temporal;
  if (address !== undefined) return { address, namespace };
  const message =
    `no Temporal server is named: ${temporal.directory}/address is missing, and TEMPORAL_ADDRESS is not set; ` +
    'to run without one, use the command standalone, which brings its own';
  throw new RegistryError('ValidationFailed', message, 'stop');
}

/** The database that the configuration names, or one of our own that begins empty at each start. */
async function obtainDatabase(
  stack: AsyncDisposableStack,
  config: ServeConfig,
  { spec }: LiveConfig,
  { signal, logger }: Surroundings,
): Promise<Database> {
  if (spec.databaseConfig) return configuredDatabase(spec.databaseConfig, config);
  logger.warn('no database is configured: data is kept beside this server and synced again at each start');
  const { connection, stop } = await startEmbeddedPostgres({
    dataDirectory: resolve(config.dataDirectory),
    durable: false,
    ...(config.postgresTemplate !== undefined && { template: config.postgresTemplate }),
    log: (message, fields = {}) => logger.info({ ...fields, component: 'postgres' }, message),
    signal,
  });
  stack.defer(stop);
  return { app: { ...connection, user: 'db_app' }, migrator: { ...connection, user: 'db_migrator' } };
}

function clusterOf(stack: AsyncDisposableStack, config: ServeConfig): HttpKubernetesApi | undefined {
  const { inCluster, serviceAccountDirectory } = config;
  if (!inCluster) return undefined;
  const cluster = new HttpKubernetesApi(inClusterAccess(serviceAccountDirectory ? { serviceAccountDirectory } : {}));
  stack.defer(() => cluster.close());
  return cluster;
}

function podResources(
  config: ServeConfig,
  registry: RegistryRef,
  live: LiveConfig,
  cluster: HttpKubernetesApi | undefined,
): PodResources {
  if (cluster) live.follow(cluster, registry);
  const configDirectory = dirname(resolve(config.configFile));
  return new PodResources({
    registry,
    config: live,
    cluster,
    configDirectory,
    secretsDirectory: config.secretsDirectory,
  });
}

interface DiscoveryParts {
  readonly cluster: HttpKubernetesApi;
  readonly registry: RegistryRef;
  readonly live: LiveConfig;
  readonly link: SyncLink;
  readonly logger: Logger;
}

/** MCP servers of the namespace come and go: each time, the sources that are about them are due. */
function discover(stack: AsyncDisposableStack, { cluster, registry, live, link, logger }: DiscoveryParts): void {
  const nudges = new SourceNudges(new SyncTrigger((_registry, ...asked) => link.syncNow(...asked)), logger);
  stack.defer(() => nudges.stop());
  const { namespace, name } = registry;
  const isDiscovered = (type: string) => findSource(type)?.changedBy === 'server-objects';
  const sources = () => live.spec.registries.flatMap(({ name, type }) => (isDiscovered(type) ? [name] : []));
  const discovery = new Discovery({
    cluster,
    namespace,
    isWanted: () => sources().length > 0,
    onChange: () => sources().forEach((source) => nudges.changed({ namespace, registry: name, source })),
    logger,
  });
  stack.defer(() => discovery.stop());
  live.onChange(() => discovery.refresh());
  discovery.refresh();
}
