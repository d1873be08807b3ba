import { readFile } from 'node:fs/promises';
import { siteOf } from '#activities/provision/site.js';
import { OPERATOR_USAGE, parseOperatorConfig } from '#environment/operator-config.js';
import type { OperatorConfig } from '#environment/operator-config.js';
import type { ClusterAccess } from '#kubernetes/cluster-access.js';
import { readVersion } from '#environment/version.js';
import { inClusterAccess } from '#kubernetes/in-cluster.js';
import { kubeconfigAccess } from '#kubernetes/kubeconfig.js';
import { present } from '#kubernetes/kubernetes-object.js';
import { createConsoleLogger } from '#observability/console-logger.js';
import { endOnUncaughtErrors } from '#observability/uncaught-errors.js';
import { connectTemporal } from '#temporal/connect.js';
import type { TemporalEndpoint } from '#temporal/connect.js';
import { readMountedEndpoint } from '#temporal/mounted-endpoint.js';
import { installTemporalRuntime } from '#temporal/runtime.js';
import { readDatabaseAdmin } from './default-database.js';
import { Operator } from './operator.js';
import type { OperatorOptions } from './operator.js';

/** The kubelet kills a pod that takes longer than 30 s to end. */
const SHUTDOWN_MS = 28_000;

/** Runs the command `operator`. */
export async function main(args: readonly string[]): Promise<void> {
  const parsed = parseOperatorConfig(args);
  if ('help' in parsed) return void process.stdout.write(OPERATOR_USAGE);
  if ('faults' in parsed) {
    for (const fault of parsed.faults) process.stderr.write(`error: ${fault}\n`);
    process.exitCode = 2;
    return;
  }
  const { config } = parsed;
  const logger = createConsoleLogger(config.logLevel);
  installTemporalRuntime(logger);
  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  endOnUncaughtErrors({ report: (err, origin) => logger.fatal({ err, origin }, 'uncaught error'), stop });
  try {
    const operator = await Operator.start({
      access: await clusterAccess(config),
      connectTemporal: async () => connectTemporal(await ownEndpoint(config)),
      temporalNamespace: (await ownEndpoint(config)).namespace,
      namespaces: config.namespaces,
      provisioning: await provisioning(config),
      minSyncIntervalMs: config.minSyncIntervalMs,
      identity: config.podName,
      release: config.release,
      ports: config,
      reviewsMetricsAccess: config.reviewsMetricsAccess,
      logger,
    });
    try {
      await operator.run(stopping.signal);
    } finally {
      await operator.stop();
    }
  } catch (err) {
    logger.fatal({ err }, 'operator failed');
    process.exitCode = 1;
  }
  // Handles that libraries keep open, such as the threads of Temporal's core, must not keep the pod alive.
  process.exit();
}

/** Returns the access of the pod, unless a kubeconfig is named or the process does not run in a pod. */
async function clusterAccess({ serviceAccountDirectory }: OperatorConfig): Promise<ClusterAccess> {
  const { KUBECONFIG: kubeconfig, KUBERNETES_SERVICE_HOST: host } = process.env;
  return host && !kubeconfig
    ? inClusterAccess(serviceAccountDirectory === undefined ? {} : { serviceAccountDirectory })
    : kubeconfigAccess();
}

async function ownEndpoint({ temporal }: OperatorConfig): Promise<TemporalEndpoint> {
  const { directory, address, namespace } = temporal;
  const mounted = await readMountedEndpoint(directory);
  if (mounted) return mounted;
  if (address === undefined)
    throw new Error(`TEMPORAL_ADDRESS: is required, as HOST:PORT, unless ${directory} holds a Secret with the address`);
  return { address, namespace };
}

/** Reads what the servers of registries are made from; they never get the operator's own credentials. */
async function provisioning(config: OperatorConfig): Promise<OperatorOptions['provisioning']> {
  const { servers, serverEnvironment } = config;
  const { address, namespace } = await ownEndpoint(config);
  const { defaultDatabase, defaultDatabasePasswordFile } = servers;
  const settings = {
    image: servers.image,
    ...(servers.imagePullPolicy && { imagePullPolicy: servers.imagePullPolicy }),
    imagePullSecrets: servers.imagePullSecrets,
    temporal: (await readMountedEndpoint(config.temporal.registryDirectory)) ?? { address, namespace },
    environment: serverEnvironment,
    discovery: servers.discovery,
    podTemplatePolicy: servers.podTemplatePolicy,
    ...(servers.serviceAccountName !== undefined && { serviceAccountName: servers.serviceAccountName }),
    ...(servers.resources && { resources: servers.resources }),
    ...(servers.exposure && { exposure: servers.exposure }),
    ...(servers.networkPolicy && { networkPolicy: servers.networkPolicy }),
    ...(servers.storage && { storage: present(servers.storage) }),
    ...(servers.caBundleFile !== undefined && { caBundle: await readFile(servers.caBundleFile, 'utf8') }),
    ...(defaultDatabase && { defaultDatabase }),
  };
  const { version } = await readVersion();
  return {
    settings,
    site: siteOf(settings, version, Date.now()),
    ...(config.access && { access: config.access }),
    ...(defaultDatabase && {
      databaseAdmin: () => readDatabaseAdmin(defaultDatabase, defaultDatabasePasswordFile),
    }),
  };
}
