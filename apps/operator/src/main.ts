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
import type { TemporalEndpoint } from '#temporal/connect.js';
import { installTemporalRuntime } from '#temporal/runtime.js';
import { readDatabaseAdmin } from './default-database.js';
import { Operator } from './operator.js';
import type { OperatorOptions } from './operator.js';
import { readTemporalPlaces } from './temporal-places.js';

/** Maximum duration of a shutdown. It is below the 30 s after which the kubelet kills a pod that is being stopped. */
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
      ...(await readTemporalPlaces(config.temporal, (temporal) => provisioning(config, temporal))),
      namespaces: config.namespaces,
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
  // Open handles of libraries, such as the threads of Temporal's core, must not keep the pod alive.
  process.exit();
}

/** Returns the access of the pod's service account, unless a kubeconfig is set or the process does not run in a pod. */
async function clusterAccess({ serviceAccountDirectory }: OperatorConfig): Promise<ClusterAccess> {
  const { KUBECONFIG: kubeconfig, KUBERNETES_SERVICE_HOST: host } = process.env;
  return host && !kubeconfig
    ? inClusterAccess(serviceAccountDirectory === undefined ? {} : { serviceAccountDirectory })
    : kubeconfigAccess();
}

/** Reads the settings for the servers of registries. The servers never get the operator's own credentials. */
async function provisioning(
  config: OperatorConfig,
  temporal: TemporalEndpoint,
): Promise<OperatorOptions['provisioning']> {
  const { servers, serverEnvironment } = config;
  const { defaultDatabase, defaultDatabasePasswordFile } = servers;
  const settings = {
    image: servers.image,
    ...(servers.imagePullPolicy && { imagePullPolicy: servers.imagePullPolicy }),
    imagePullSecrets: servers.imagePullSecrets,
    temporal,
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
