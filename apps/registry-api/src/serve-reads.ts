import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ServeConfig } from '#environment/serve-config.js';
import { readVersion } from '#environment/version.js';
import { RegistryError } from '#domain/registry-error.js';
import { configuredDatabase } from './configured-database.js';
import { ChangeForwarder } from './http/change-forwarder.js';
import { API_LIMITS } from './limits.js';
import { openPod, podResources, startPodApi } from './serving-pod.js';

interface Surroundings {
  /** Stops everything, in order. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/**
 * Runs a read-only server of one registry: it serves from memory and follows the database that another server syncs
 * into. It uses nothing else: no Temporal, no watch, no migration, no claim on the database. Requests that change
 * something are forwarded to the other server. Returns after the signal has stopped it.
 */
export async function serveReads(config: ServeConfig, { signal, logger }: Surroundings): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const pod = await openPod(stack, config, logger);
  const { live, registry } = pod;
  if (!live.spec.databaseConfig) throw databaseMissing(config);
  const { uiUrl, namespace } = config.temporal;
  const forwarder = new ChangeForwarder(config.writerUrl, logger);
  stack.defer(() => forwarder.close());
  const version = await readVersion();
  const api = await startPodApi(stack, pod, {
    database: configuredDatabase(live.spec.databaseConfig, config).app,
    references: podResources(pod),
    async syncNow() {
      throw new Error('a read-only server starts no syncs');
    },
    forwarder,
    temporalUi: () => (uiUrl === undefined ? undefined : { url: uiUrl, namespace }),
    version,
  });
  live.poll();
  logger.info({ registry, url: api.url, version: version.version, writer: config.writerUrl }, 'serving read-only');
  if (!signal.aborted) await once(signal, 'abort');
  logger.info('stopping');
  api.drain();
  await delay(API_LIMITS.drainMs);
}

function databaseMissing({ configFile }: ServeConfig): RegistryError {
  const message =
    `${configFile}: --read-only needs the database that another server of the registry syncs into, and none is configured: ` +
    'set database, or leave --read-only out';
  return new RegistryError('ValidationFailed', message, 'stop');
}
