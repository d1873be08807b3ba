import { once } from 'node:events';
import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { serverOrigin } from '#spec/pod-paths.js';
import type { ServeConfig } from '#environment/serve-config.js';
import { readVersion } from '#environment/version.js';
import { RegistryError } from '#domain/registry-error.js';
import { configuredDatabase } from './configured-database.js';
import { configuredRegistry } from './configured-registry.js';
import { ChangeForwarder } from './http/change-forwarder.js';
import { identifyRegistry } from './identify-registry.js';
import { API_LIMITS } from './limits.js';
import { PeerPods } from './peer-pods.js';
import { LiveConfig } from './resources/live-config.js';
import { PodResources } from './resources/pod-resources.js';
import { startRegistryApi } from './start-registry-api.js';

interface Surroundings {
  /** Ends everything, in order. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/**
 * A read-only server of one registry: answers from memory, and follows the database that another server syncs into. It
 * connects to nothing else: no Temporal, no watch, no migration, no claim on the database. What would change something goes
 * to that other server. Returns when the signal has ended it.
 */
export async function serveReads(config: ServeConfig, { signal, logger }: Surroundings): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { config: live, identity } = await LiveConfig.open(config.configFile, logger);
  stack.defer(() => live.stop());
  const registry = identifyRegistry(config, identity);
  if (!live.spec.databaseConfig) throw databaseMissing(config);
  const { app: database } = configuredDatabase(live.spec.databaseConfig, config);
  const configDirectory = dirname(resolve(config.configFile));
  const { secretsDirectory, temporal } = config;
  const references = new PodResources({
    registry,
    config: live,
    cluster: undefined,
    configDirectory,
    secretsDirectory,
  });
  const forwarder = new ChangeForwarder(config.writerUrl, logger);
  stack.defer(() => forwarder.close());
  const peers = config.inCluster ? new PeerPods(serverOrigin(registry)) : undefined;
  const version = await readVersion();
  const { host, port, internalPort } = config;
  const api = await startRegistryApi({
    database,
    host,
    port,
    internalPort,
    registries: configuredRegistry(registry, live),
    references,
    async syncNow() {
      throw new Error('a read-only server starts no syncs');
    },
    forwarder,
    temporalUi: () =>
      temporal.uiUrl === undefined ? undefined : { url: temporal.uiUrl, namespace: temporal.namespace },
    ...(peers && { peers }),
    version,
    logger,
  });
  stack.defer(() => api.close());
  stack.defer(() => peers?.stop());
  void peers?.watch(() => api.ready().ready);
  live.poll();
  logger.info({ registry, url: api.url, version: version.version, writer: config.writerUrl }, 'serving read-only');
  if (!signal.aborted) await once(signal, 'abort');
  logger.info('stopping');
  api.drain();
  await delay(API_LIMITS.drainMs);
}

function databaseMissing({ configFile }: ServeConfig): RegistryError {
  const message =
    `${configFile}: --read-only needs the database that another server of the registry syncs into, and none is named: ` +
    'set database, or leave --read-only out';
  return new RegistryError('ValidationFailed', message, 'stop');
}
