import { randomUUID } from 'node:crypto';
import type { NamespaceAccess } from '#activities/provision/desired/access.js';
import type { ServerSettings } from '#activities/provision/desired/blueprint.js';
import { siteOf } from '#activities/provision/site.js';
import type { ClusterAccess } from '#kubernetes/cluster-access.js';
import { Operator } from '#operator/operator.js';
import type { OperatorOptions } from '#operator/operator.js';
import type { NamespaceGroup } from '#operator/namespace-groups.js';
import type { TemporalPlace } from '#operator/temporal-namespace.js';
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
  readonly settings?: Partial<ServerSettings>;
  /** The account as which registries are provisioned if they do not specify one. */
  readonly serviceAccountName?: string;
  /** Groups of namespaces, each with its own Temporal namespace on the same server. */
  readonly groups?: readonly (NamespaceGroup & { readonly temporalNamespace: string })[];
  /** The permissions that the operator grants itself in the namespaces of registries. Default: none. */
  readonly grants?: NamespaceAccess;
  readonly temporalPatienceMs?: number;
  readonly pace?: NonNullable<OperatorOptions['pace']>;
}

/** An operator in this process. `stop` may be called twice. */
export interface RunningOperator {
  readonly operator: Operator;
  stop(): Promise<void>;
}

export async function startOperator(setup: OperatorSetup): Promise<RunningOperator> {
  const {
    temporalAddress: address,
    image = 'registry.example.com/server:1',
    serviceAccountName,
    grants,
    settings: more,
    groups = [],
    ...rest
  } = setup;
  const place = (namespace: string): TemporalPlace => {
    const settings = {
      image,
      imagePullSecrets: [],
      temporal: { address, namespace },
      environment: {},
      ...(serviceAccountName !== undefined && { serviceAccountName }),
      ...more,
    };
    return {
      connectTemporal: () => connectTemporal({ address, namespace }),
      temporalNamespace: namespace,
      provisioning: { settings, site: siteOf(settings, 'test', Date.now()), ...(grants && { access: grants }) },
    };
  };
  const operator = await Operator.start({
    ...rest,
    ...place('default'),
    temporalGroups: groups.map((group) => ({ ...group, ...place(group.temporalNamespace) })),
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
