import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { leaveNamespace } from '#activities/provision/leave-namespace.js';
import { displayRef } from '#domain/registry-ref.js';
import type { ClusterAccess } from '#kubernetes/cluster-access.js';
import { AccessReviewer } from '#kubernetes/access-reviewer.js';
import { findClusterId } from '#kubernetes/cluster-id.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { EventRecorder } from '#kubernetes/event-recorder.js';
import { FINALIZER } from '#kubernetes/kubernetes-resource-store.js';
import { operatorTaskQueue } from '#temporal/task-queues.js';
import { startHealthServers } from './health-server.js';
import type { HealthPorts, HealthServers } from './health-server.js';
import { NamespaceGroups } from './namespace-groups.js';
import { OperatorMetrics } from './operator-metrics.js';
import { CACHED_WORKFLOWS } from './registry-worker.js';
import type { TemporalPlace } from './temporal-namespace.js';
import { TemporalNamespaces } from './temporal-namespaces.js';
import type { TemporalGroup } from './temporal-namespaces.js';
import { ClusterWatcher } from './watch/cluster-watcher.js';
import type { WatchName } from './watch/cluster-watcher.js';

/** How long Temporal may be unavailable or busy before a registry that is being deleted is released without it. */
const TEMPORAL_PATIENCE_MS = 60_000;
const RELEASE_CHECK_MS = 5_000;
/** Maximum number of namespaces with an ambiguous group that `/readyz` lists. */
const CONFLICTS_NAMED = 5;

/** Settings of the operator. The inherited Temporal namespace is that of registries without a group. */
export interface OperatorOptions extends TemporalPlace {
  readonly access: ClusterAccess;
  /** Groups of namespaces whose registries have a Temporal namespace of their own. Default: none. */
  readonly temporalGroups?: readonly TemporalGroup[];
  /** Namespaces to watch; all when empty. */
  readonly namespaces: readonly string[];
  readonly minSyncIntervalMs: number;
  readonly identity: string;
  readonly ports: HealthPorts;
  /** Whether the API server decides who may read the metrics. Otherwise, everybody may. */
  readonly reviewsMetricsAccess?: boolean;
  readonly logger: Logger;
  readonly temporalPatienceMs?: number;
  /** How often the operator looks for changes that it may have missed. */
  readonly pace?: { readonly relistMs: readonly [least: number, most: number]; readonly sweepMs: number };
  /** Distinguishes this operator from others in the same cluster. */
  readonly release: string;
}

/**
 * Watches a cluster, nudges the workflow of each MCPRegistry, and runs these workflows and the activities that read,
 * provision and report. Its state is only a cache of what it has seen. Two operators at the same time are harmless,
 * because the id of a workflow acts as a lock.
 */
export class Operator {
  private readonly api: HttpKubernetesApi;
  private readonly watcher: ClusterWatcher;
  private readonly temporal: TemporalNamespaces;
  private readonly groups: NamespaceGroups;
  private health: HealthServers | undefined;
  private readonly stopping = new AbortController();
  private readonly metrics = new OperatorMetrics({
    registries: () => this.watcher.index.all(),
    backlog: () => this.temporal.backlog,
    refusedWatches: () => this.watcher.watchesIn('refused'),
    temporalNamespaces: () => this.temporal.all(),
  });
  private isSynced = false;
  private cluster: string | undefined;

  private constructor(private readonly options: OperatorOptions) {
    const { temporalGroups = [], minSyncIntervalMs, identity, pace, logger } = options;
    this.api = new HttpKubernetesApi(options.access);
    this.groups = new NamespaceGroups(temporalGroups, () => this.watcher.knowsNamespaces);
    this.watcher = this.watchCluster(temporalGroups.length > 0);
    this.temporal = new TemporalNamespaces(options, temporalGroups, {
      api: this.api,
      watcher: this.watcher,
      groups: this.groups,
      events: new EventRecorder(this.api, (registry, err) =>
        logger.warn({ registry: displayRef(registry), err }, 'cannot write an event'),
      ),
      metrics: this.metrics,
      findTaskQueue: async () => operatorTaskQueue({ cluster: await this.findCluster(), release: options.release }),
      findCluster: () => this.findCluster(),
      minSyncIntervalMs,
      identity,
      cachedWorkflows: Math.floor(CACHED_WORKFLOWS / (1 + temporalGroups.length)),
      ...(pace && { sweepMs: pace.sweepMs }),
      logger,
    });
  }

  static async start(options: OperatorOptions): Promise<Operator> {
    const { namespaces, ports, logger } = options;
    logger.info({ namespaces: namespaces.length === 0 ? 'all' : namespaces }, 'watching MCPRegistries');
    const operator = new Operator(options);
    try {
      operator.health = await startHealthServers(
        {
          missing: () => operator.missing(),
          warnings: () => operator.warnings(),
          metrics: () => operator.metrics.format(),
          ...(options.reviewsMetricsAccess && { reviewer: new AccessReviewer(operator.api) }),
        },
        ports,
        logger,
      );
    } catch (error) {
      await operator.stop();
      throw error;
    }
    void operator.watcher.synced.then(() => {
      operator.isSynced = true;
      logger.info({ registries: operator.watcher.index.size }, 'cluster caches synced');
    });
    return operator;
  }

  get ports(): { readonly healthPort: number; readonly metricsPort: number } {
    return { healthPort: this.health?.healthPort ?? 0, metricsPort: this.health?.metricsPort ?? 0 };
  }

  /** Runs until the signal aborts; rejects if the worker stops on its own. */
  async run(signal: AbortSignal): Promise<void> {
    const asked = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    if (!signal.aborted) await Promise.race([asked, this.temporal.ended, this.releaseWithoutTemporal()]);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all([this.watcher.stop(), this.temporal.stop()]);
    await this.health?.close();
    await this.api.close();
  }

  private async findCluster(): Promise<string> {
    return (this.cluster ??= await findClusterId(this.api, this.options.access));
  }

  private watchCluster(watchesNamespaces: boolean): ClusterWatcher {
    const { namespaces, logger, pace } = this.options;
    return new ClusterWatcher({
      api: this.api,
      namespaces,
      onChange: (registry, change) => this.temporal.enqueue(registry, change),
      onWorkload: (registry) => this.temporal.enqueueWorkload(registry),
      ...(watchesNamespaces && {
        onNamespace: (name: string, namespace?: KubernetesObject) => this.temporal.noteNamespace(name, namespace),
      }),
      onTrouble: (watch, err, object) => {
        if (!object) return logger.warn({ ...watch, err }, 'watch failed');
        this.metrics.objectFailures += 1;
        logger.error({ kind: watch.kind, object: displayRef(object), err }, 'object handling failed');
      },
      ...(pace && { pace: { relistMs: pace.relistMs } }),
    });
  }

  /**
   * Removes the finalizer of a registry that is being deleted if Temporal is unavailable or makes no progress. The
   * garbage collector cleans up by owner references, and a workflow that resumes later finds its registry gone.
   */
  private async releaseWithoutTemporal(): Promise<void> {
    const { logger, temporalPatienceMs = TEMPORAL_PATIENCE_MS } = this.options;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      for (const { ref, deletingSinceMs, held } of this.watcher.index.all()) {
        if (!held || deletingSinceMs === undefined) continue;
        const temporal = this.temporal.find(ref);
        const waitedMs = Math.max(temporal?.silentForMs() ?? 0, performance.now() - deletingSinceMs);
        if (waitedMs <= temporalPatienceMs) continue;
        try {
          await leaveNamespace({ api: this.api, ...this.options.provisioning }, ref);
          await this.api.patchFinalizers('MCPRegistry', ref, { remove: FINALIZER });
          this.metrics.released += 1;
        } catch (err) {
          logger.warn({ registry: displayRef(ref), err }, 'cannot remove a finalizer');
        }
      }
      await sleep(Math.min(RELEASE_CHECK_MS, temporalPatienceMs), undefined, { signal }).catch(() => undefined);
    }
  }

  private missing(): readonly string[] {
    return [
      ...(this.isSynced ? [] : ['the cluster caches are not synced']),
      ...(this.temporal.isConnected ? [] : ['Temporal is unavailable']),
    ];
  }

  /**
   * Returns problems that do not make the operator unready. An unavailable Temporal of a group is one of them, because
   * a group may have a Temporal service of its own.
   */
  private warnings(): readonly string[] {
    const silent = this.temporal.all().filter(({ group, isConnected }) => group !== undefined && !isConnected);
    return [
      ...this.watcher.watchesIn('refused').map(describeWatch),
      ...silent.map(({ group }) => `Temporal is unavailable for group ${group}`),
      ...this.groups.conflicts().slice(0, CONFLICTS_NAMED),
    ];
  }
}

function describeWatch({ kind, namespace }: WatchName): string {
  return `the API server refuses to list ${kind} ${namespace === undefined ? 'in all namespaces' : `in namespace ${namespace}`}`;
}
