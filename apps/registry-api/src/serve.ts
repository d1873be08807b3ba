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
import type { Database } from '#persistence/database.js';
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
  let { namespace } = await temporalEndpoint(config);
  const endpoint = async () => {
    const found = await temporalEndpoint(config);
    ({ namespace } = found);
    return found;
  };
  installTemporalRuntime(logger);

  const lock = await lockDirectory(resolve(config.dataDirectory));
  stack.defer(() => lock.release());
  const database = await obtainDatabase(stack, config, live, { signal, logger });
  const cluster = clusterOf(stack, config);
  const resources = podResources(config, registry, live, cluster);

  let trouble: ServerTrouble | undefined;
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  /** The API listens before it. */
  let link: SyncLink | undefined;
  const version = await readVersion();
  const peers = config.inCluster ? new PeerPods(serverOrigin(registry)) : undefined;
  const api = await startRegistryApi({
    database: database.app,
    host: config.host,
    port: config.port,
    internalPort: config.internalPort,
    registries: configuredRegistry(registry, live),
    references: resources,
    async syncNow(_registry, source, trigger) {
      if (!link) throw new Error('the workflow of the registry cannot be asked yet');
      return link.syncNow(source, trigger);
    },
    minSyncIntervalMs: config.minSyncIntervalMs,
    syncsAwaySince: () => link?.awaySince,
    temporalUi: () => (config.temporal.uiUrl === undefined ? undefined : { url: config.temporal.uiUrl, namespace }),
    databaseTrouble: () => trouble && `${trouble.reason}: ${trouble.message}`,
    ...(peers && { peers }),
    version,
    logger,
  });
  stack.defer(() => api.close());
  stack.defer(() => peers?.stop());
  void peers?.watch(() => api.ready().ready);

  const syncLink = new SyncLink({
    registry,
    endpoint,
    async openStore({ signal: until, onTrouble }) {
      const id = await openDatabase(database, registry, {
        signal: until,
        onFault({ reason, message }) {
          trouble = { pod: config.podName, reason, message };
          logger.warn({ reason, fault: message }, 'the database cannot be used yet');
          onTrouble({ pod: config.podName, reason, message });
        },
      });
      trouble = undefined;
      const lease = stack.use(new StoreLease(database.app, { uid: registry.uid, storeId: id }, logger));
      lease.lost.catch(lost.reject);
      return { id, taskQueue: storeTaskQueue({ uid: registry.uid, pod: config.podHash }, id) };
    },
    startWorker: (temporal, { namespace }, taskStore) =>
      startStoreWorker({
        config,
        database,
        resources,
        temporal,
        namespace,
        store: taskStore,
        version: version.version,
        metrics: api.metrics,
        logger,
      }),
    logger,
  });
  link = syncLink;
  stack.defer(async () => {
    api.drain();
    await Promise.all([syncLink.stop(), delay(API_LIMITS.drainMs)]);
  });
  if (cluster) discover(stack, { cluster, registry, live, link: syncLink, logger });
  logger.info({ registry, url: api.url, version: version.version }, 'serving');
  if (!signal.aborted) await Promise.race([once(signal, 'abort'), lost.promise]);
  logger.info('stopping');
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
