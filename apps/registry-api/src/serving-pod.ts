import { dirname, resolve } from 'node:path';
import type { Logger } from 'pino';
import type { ServeConfig } from '#environment/serve-config.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { serverOrigin } from '#spec/pod-paths.js';
import { configuredRegistry } from './configured-registry.js';
import { identifyRegistry } from './identify-registry.js';
import { PeerPods } from './peer-pods.js';
import type { ClusterReader } from './resources/cluster-reader.js';
import { LiveConfig } from './resources/live-config.js';
import { PodResources } from './resources/pod-resources.js';
import { startRegistryApi } from './start-registry-api.js';
import type { RegistryApi, RegistryApiOptions } from './start-registry-api.js';

/**
 * The parts that the server of a registry and its read-only servers have in common. This module must not load
 * Temporal's client.
 */
export interface ServingPod {
  readonly config: ServeConfig;
  readonly live: LiveConfig;
  readonly registry: RegistryRef;
  readonly logger: Logger;
}

/** Reads the configuration. Throws a RegistryError with all of its errors. */
export async function openPod(stack: AsyncDisposableStack, config: ServeConfig, logger: Logger): Promise<ServingPod> {
  const { config: live, identity } = await LiveConfig.open(config.configFile, logger);
  stack.defer(() => live.stop());
  return { config, live, registry: identifyRegistry(config, identity), logger };
}

/**
 * Returns access to the objects that the configuration refers to. Without `cluster`, only the mounted files are read.
 */
export function podResources({ config, live, registry }: ServingPod, cluster?: ClusterReader): PodResources {
  if (cluster) live.follow(cluster, registry);
  const { configFile, secretsDirectory } = config;
  return new PodResources({
    registry,
    config: live,
    cluster,
    configDirectory: dirname(resolve(configFile)),
    secretsDirectory,
  });
}

type PodApiOptions = Omit<RegistryApiOptions, 'host' | 'port' | 'internalPort' | 'registries' | 'peers' | 'logger'>;

/** Starts the API on the configured ports, and compares this pod with the others behind the Service. */
export async function startPodApi(
  stack: AsyncDisposableStack,
  { config, live, registry, logger }: ServingPod,
  options: PodApiOptions,
): Promise<RegistryApi> {
  const { host, port, internalPort, inCluster } = config;
  const peers = inCluster ? new PeerPods(serverOrigin(registry)) : undefined;
  const registries = configuredRegistry(registry, live);
  const api = await startRegistryApi({
    ...options,
    host,
    port,
    internalPort,
    registries,
    ...(peers && { peers }),
    logger,
  });
  stack.defer(() => api.close());
  stack.defer(() => peers?.stop());
  void peers?.watch(() => api.ready().ready);
  return api;
}
