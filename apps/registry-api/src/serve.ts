import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ServeConfig } from '#environment/serve-config.js';
import { readVersion } from '#environment/version.js';
import { RegistryError } from '#domain/registry-error.js';
import type { Reason } from '#domain/reasons.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { ServerTrouble } from '#domain/workload.js';
import { inClusterAccess } from '#kubernetes/in-cluster.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import { detailOf } from '#persistence/database-fault.js';
import type { Database } from '#persistence/database-place.js';
import { startEmbeddedPostgres } from '#persistence/embedded/start-embedded-postgres.js';
import { lockDirectory } from '#subprocess/directory-lock.js';
import type { TemporalEndpoint } from '#temporal/connect.js';
import { readMountedEndpoint } from '#temporal/mounted-endpoint.js';
import { installTemporalRuntime } from '#temporal/runtime.js';
import { storeTaskQueue } from '#temporal/task-queues.js';
import { findSource } from '#sources/index.js';
import { describeOutage } from './describe-outage.js';
import { configuredDatabase } from './configured-database.js';
import { openDatabase } from './open-database.js';
import { API_LIMITS } from './limits.js';
import { openPod, podResources, startPodApi } from './serving-pod.js';
import type { ServingPod } from './serving-pod.js';
import { StoreLease } from './store-lease.js';
import type { LiveConfig } from './resources/live-config.js';
import type { PodResources } from './resources/pod-resources.js';
import type { RegistryApi } from './start-registry-api.js';
import { Discovery } from './sync/discovery.js';
import { SourceNudges } from './sync/source-nudges.js';
import { SyncLink } from './sync/sync-link.js';
import { SyncTrigger } from './sync/sync-trigger.js';
import { startStoreWorker } from './sync/store-worker.js';

interface Surroundings {
  /** Stops everything, in order. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/**
 * Runs the server of one registry: it serves from memory, keeps the data in its database, and runs the syncs that the
 * registry's workflow requests. It listens even while database and Temporal are unavailable. Returns after the signal
 * has stopped it.
 */
export async function serve(config: ServeConfig, { signal, logger }: Surroundings): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const pod = await openPod(stack, config, logger);
  const { live, registry } = pod;
  const { namespace } = await temporalEndpoint(config);
  installTemporalRuntime(logger);

  const lock = await lockDirectory(resolve(config.dataDirectory));
  stack.defer(() => lock.release());
  const database = await obtainDatabase(stack, config, live, { signal, logger });
  const cluster = clusterOf(stack, config);
  const resources = podResources(pod, cluster);
  const version = await readVersion();
  const parts: ServerParts = { ...pod, database, resources, version, progress: { namespace } };

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

interface ServerParts extends ServingPod {
  readonly database: Database;
  readonly resources: PodResources;
  readonly version: Awaited<ReturnType<typeof readVersion>>;
  readonly progress: Progress;
}

/** Progress of the start. The API listens before database and Temporal are available. */
interface Progress {
  link?: SyncLink;
  /** Why the database cannot be used. */
  trouble?: ServerTrouble<Reason> | undefined;
  /** Namespace in Temporal. */
  namespace: string;
}

function startApi(stack: AsyncDisposableStack, parts: ServerParts): Promise<RegistryApi> {
  const { config, database, resources, version, progress } = parts;
  const { uiUrl } = config.temporal;
  return startPodApi(stack, parts, {
    database: database.app,
    references: resources,
    async syncNow(_registry, source, trigger) {
      if (!progress.link) throw new Error('the workflow of the registry cannot be queried yet');
      return progress.link.syncNow(source, trigger);
    },
    minSyncIntervalMs: config.minSyncIntervalMs,
    syncsAwaySince: () => progress.link?.awaySince,
    temporalUi: () => (uiUrl === undefined ? undefined : { url: uiUrl, namespace: progress.namespace }),
    databaseTrouble: () => progress.trouble && describeOutage(progress.trouble.reason),
    version,
  });
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
      const id = await openDatabase(
        database,
        { ...registry, cluster: config.cluster },
        {
          signal,
          onFault(fault) {
            const { reason, message } = fault;
            progress.trouble = { pod: config.podName, reason, message };
            logger.warn({ fault: detailOf(fault) }, 'the database cannot be used yet');
            onTrouble(progress.trouble);
          },
        },
      );
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
    `no Temporal server is configured: ${temporal.directory}/address is missing, and TEMPORAL_ADDRESS is not set; ` +
    'to run without one, use the command standalone, which starts its own';
  throw new RegistryError('ValidationFailed', message, 'stop');
}

/** Returns the configured database, or an embedded one that is empty at each start. */
async function obtainDatabase(
  stack: AsyncDisposableStack,
  config: ServeConfig,
  { spec }: LiveConfig,
  { signal, logger }: Surroundings,
): Promise<Database> {
  if (spec.databaseConfig) return configuredDatabase(spec.databaseConfig, config);
  logger.warn('no database is configured: data is kept in this pod and synced again at each start');
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

interface DiscoveryParts {
  readonly cluster: HttpKubernetesApi;
  readonly registry: RegistryRef;
  readonly live: LiveConfig;
  readonly link: SyncLink;
  readonly logger: Logger;
}

/** Watches the MCP servers of the namespace, and nudges the sources that list them whenever they change. */
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
