import { randomUUID } from 'node:crypto';
import type { NamespaceAccess } from '#activities/provision/desired/access.js';
import { siteOf } from '#activities/provision/site.js';
import type { ClusterAccess } from '#kubernetes/cluster-access.js';
import { Operator } from '#operator/operator.js';
import type { OperatorOptions } from '#operator/operator.js';
import { connectTemporal } from '#temporal/connect.js';
import { silent } from './quiet-temporal.js';

export interface OperatorSetup {
  readonly access: ClusterAccess;
  readonly namespaces: readonly string[];
  /** `host:port` */
  readonly temporalAddress: string;
  /** Operators of the same release share their workflows. */
  readonly release: string;
  /** Image of the servers that the operator creates. */
  readonly image?: string;
  /** The account that registries are provisioned as that name none. */
  readonly serviceAccountName?: string;
  /** What it grants itself in the namespaces of registries; nothing when absent. */
  readonly grants?: NamespaceAccess;
  readonly temporalPatienceMs?: number;
  readonly pace?: NonNullable<OperatorOptions['pace']>;
}

/** An operator in this process; `stop` may be called twice. */
export interface RunningOperator {
  readonly operator: Operator;
  stop(): Promise<void>;
}

export async function startOperator(setup: OperatorSetup): Promise<RunningOperator> {
  const { temporalAddress, image = 'registry.example.com/server:1', serviceAccountName, grants, ...rest } = setup;
  const settings = {
    image,
    imagePullSecrets: [],
    temporal: { address: temporalAddress, namespace: 'default' },
    environment: {},
    ...(serviceAccountName !== undefined && { serviceAccountName }),
  };
  const operator = await Operator.start({
    ...rest,
    connectTemporal: () => connectTemporal({ address: temporalAddress, namespace: 'default' }),
    temporalNamespace: 'default',
    provisioning: { settings, site: siteOf(settings, 'test', Date.now()), ...(grants && { access: grants }) },
    minSyncIntervalMs: 10_000,
    identity: `operator-${randomUUID()}`,
    ports: { host: '127.0.0.1', healthPort: 0, metricsPort: 0 },
    logger: silent,
  });
  const stopping = new AbortController();
  const ended = operator.run(stopping.signal);
  let stopped: Promise<void> | undefined;
  const stop = () =>
    (stopped ??= (async () => {
      stopping.abort();
      await ended;
      await operator.stop();
    })());
  return { operator, stop };
}
