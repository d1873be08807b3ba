import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { leaveNamespace } from '#activities/provision/leave-namespace.js';
import type { ProvisionWorld } from '#activities/provision/provision-world.js';
import { displayRef, registryKey } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { ClusterAccess } from '#kubernetes/cluster-access.js';
import { AccessReviewer } from '#kubernetes/access-reviewer.js';
import { findClusterId } from '#kubernetes/cluster-id.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import { EventRecorder } from '#kubernetes/event-recorder.js';
import { FINALIZER, KubernetesResourceStore } from '#kubernetes/kubernetes-resource-store.js';
import type { TemporalAccess } from '#temporal/connect.js';
import type { RunningWorker } from '#temporal/running-worker.js';
import { operatorTaskQueue } from '#temporal/task-queues.js';
import { startHealthServers } from './health-server.js';
import type { HealthPorts, HealthServers } from './health-server.js';
import { Nudger } from './nudger.js';
import { OperatorMetrics } from './operator-metrics.js';
import { startRegistryWorker } from './registry-worker.js';
import { sweep } from './sweep.js';
import type { SweepResult } from './sweep.js';
import { TemporalLink } from './temporal-link.js';
import { ClusterWatcher } from './watch/cluster-watcher.js';
import type { WatchName } from './watch/cluster-watcher.js';

/** How long Temporal may be unavailable, or busy, before a registry under deletion is released without it. */
const TEMPORAL_PATIENCE_MS = 60_000;
const RELEASE_CHECK_MS = 5_000;
/** About as often as the cluster is listed. */
const SWEEP_MS = 8 * 60_000;

export interface OperatorOptions {
  readonly access: ClusterAccess;
  /** Is retried until it succeeds once. */
  connectTemporal(): Promise<TemporalAccess>;
  readonly temporalNamespace: string;
  /** Empty: every namespace. */
  readonly namespaces: readonly string[];
  /** What the servers of registries are made from. */
  readonly provisioning: Omit<ProvisionWorld, 'api' | 'resources'>;
  readonly minSyncIntervalMs: number;
  readonly identity: string;
  readonly ports: HealthPorts;
  /** Whether the API server decides who may read the metrics; every client may when absent. */
  readonly reviewsMetricsAccess?: boolean;
  readonly logger: Logger;
  readonly temporalPatienceMs?: number;
  /** How often it looks for what it may have missed. */
  readonly pace?: { readonly relistMs: readonly [least: number, most: number]; readonly sweepMs: number };
  /** Tells this operator from others in the same cluster. */
  readonly release: string;
}

/**
 * Watches a cluster, nudges the workflow of each MCPRegistry, and runs these workflows and the activities that read,
 * provision and report. Its state is only a cache of what it sees, and two operators at once are harmless: the id of a
 * workflow is its lock.
 */
export class Operator {
  private readonly api: HttpKubernetesApi;
  private readonly watcher: ClusterWatcher;
  private readonly nudger: Nudger;
  private readonly workloads: Nudger;
  private readonly temporal: TemporalLink;
  private worker: RunningWorker | undefined;
  private health: HealthServers | undefined;
  /** Keys of registries whose next nudge says that what was made for them must be checked. */
  private readonly drifted = new Set<string>();
  private readonly stopping = new AbortController();
  /** Rejects when the worker ends by itself. */
  private readonly workerDeath = Promise.withResolvers<never>();
  private readonly metrics = new OperatorMetrics({
    registries: () => this.watcher.index.all(),
    backlog: () => this.nudger.backlog + this.workloads.backlog,
    refusedWatches: () => this.watcher.watchesIn('refused'),
    silentForMs: () => this.temporal.silentForMs(),
  });
  private isSynced = false;

  private constructor(private readonly options: OperatorOptions) {
    const { logger } = options;
    this.workerDeath.promise.catch(() => undefined);
    this.api = new HttpKubernetesApi(options.access);
    this.nudger = this.nudgerFor('nudge failed', (registry) => this.nudge(registry));
    this.workloads = this.nudgerFor('workload report failed', (registry) =>
      this.temporal.workflows.workloadChanged(registry, this.watcher.workloadOf(registry)),
    );
    this.temporal = new TemporalLink({
      connect: () => options.connectTemporal(),
      findTaskQueue: () => this.findTaskQueue(),
      onConnected: (access, taskQueue) => this.startWork(access, taskQueue),
      logger,
    });
    this.watcher = this.watchCluster();
  }

  static async start(options: OperatorOptions): Promise<Operator> {
    const { namespaces, ports, logger } = options;
    logger.info({ namespaces: namespaces.length === 0 ? 'all' : namespaces }, 'watching MCPRegistries');
    const operator = new Operator(options);
    try {
      operator.health = await startHealthServers(
        {
          missing: () => operator.missing(),
          warnings: () => operator.watcher.watchesIn('refused').map(describeWatch),
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

  /** Runs until the signal; rejects when the worker ends by itself. */
  async run(signal: AbortSignal): Promise<void> {
    const asked = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    if (!signal.aborted)
      await Promise.race([asked, this.temporal.ended, this.workerDeath.promise, this.releaseWithoutTemporal()]);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.nudger.stop();
    this.workloads.stop();
    await this.watcher.stop();
    await this.temporal.stop();
    await this.worker?.stop();
    await this.temporal.close();
    await this.health?.close();
    await this.api.close();
  }

  private async findTaskQueue(): Promise<string> {
    const { access, release } = this.options;
    return operatorTaskQueue({ cluster: await findClusterId(this.api, access), release });
  }

  private nudgerFor(failure: string, nudge: (registry: RegistryRef) => Promise<void>): Nudger {
    return new Nudger({
      nudge,
      onFailure: (registry, err) => {
        this.metrics.nudgeFailures += 1;
        this.options.logger.warn({ registry: displayRef(registry), err }, failure);
      },
    });
  }

  private watchCluster(): ClusterWatcher {
    const { namespaces, logger, pace } = this.options;
    return new ClusterWatcher({
      api: this.api,
      namespaces,
      onChange: (registry, { drift }) => {
        if (drift) this.drifted.add(registryKey(registry));
        this.nudger.enqueue(registry);
      },
      onWorkload: (registry) => this.workloads.enqueue(registry),
      onTrouble: (watch, err, object) => {
        if (!object) return logger.warn({ ...watch, err }, 'watch failed');
        this.metrics.objectFailures += 1;
        logger.error({ kind: watch.kind, object: displayRef(object), err }, 'object handling failed');
      },
      ...(pace && { pace: { relistMs: pace.relistMs } }),
    });
  }

  private async nudge(registry: RegistryRef): Promise<void> {
    const seen = this.watcher.index.find(registry);
    if (seen && !seen.deleting && !seen.held) {
      await this.api.patchFinalizers('MCPRegistry', registry, { add: FINALIZER });
    }
    const key = registryKey(registry);
    const drift = this.drifted.delete(key);
    const { site } = this.options.provisioning;
    try {
      const nudge = {
        generation: seen?.generation ?? 0,
        ...(seen?.triggerToken !== undefined && { triggerToken: seen.triggerToken }),
        ...(drift && { drift }),
        ...(site && { site }),
      };
      // A registry with a status has had a workflow. If that has ended, the next one must go on beyond it.
      await this.temporal.workflows.nudge(registry, nudge, { isFirst: seen?.phase === undefined });
      this.metrics.nudges += 1;
    } catch (error) {
      if (drift) this.drifted.add(key);
      throw error;
    }
    // A new workflow does not know yet what exists already.
    this.workloads.enqueue(registry);
  }

  /** Called when the first connection to Temporal stands. Until then, nudges fail and are retried. */
  private async startWork({ connection }: TemporalAccess, taskQueue: string): Promise<void> {
    const { temporalNamespace, identity, provisioning, minSyncIntervalMs, logger } = this.options;
    const events = new EventRecorder(this.api, (registry, err) =>
      logger.warn({ registry: displayRef(registry), err }, 'event not written'),
    );
    const worker = await startRegistryWorker({
      connection,
      namespace: temporalNamespace,
      identity,
      grace: { softMs: 10_000, hardMs: 20_000 },
      taskQueue,
      world: {
        resources: new KubernetesResourceStore(this.api),
        minSyncIntervalMs,
        announce: (registry, told) => events.record(registry, told),
        unprovision: (registry) => this.unprovision(registry),
        provisioning: { api: this.api, ...provisioning, reconciled: this.metrics.reconciled },
      },
    });
    this.worker = worker;
    worker.ended.catch((error: unknown) => this.workerDeath.reject(error));
    for (const { ref } of this.watcher.index.all()) this.nudger.enqueue(ref);
    void this.keepSweeping();
  }

  /**
   * Finds what no watch reports: the workflow of a registry that was deleted by force or with its cluster, and a registry
   * whose workflow was terminated, failed, or vanished with Temporal's data.
   */
  private async keepSweeping(): Promise<void> {
    const { logger, pace } = this.options;
    const { signal } = this.stopping;
    const sweepMs = pace?.sweepMs ?? SWEEP_MS;
    await this.watcher.synced;
    while (!signal.aborted) {
      const sweeping = sweep({
        workflows: this.temporal.workflows,
        registries: () => this.watcher.index.all().map(({ ref }) => ref),
        sees: (namespace) => this.watcher.sees(namespace),
        exists: (registry) => this.watcher.index.find(registry) !== undefined,
      });
      await sweeping.then(
        (result) => this.swept(result),
        (err: unknown) => signal.aborted || logger.warn({ err }, 'sweep failed'),
      );
      await sleep(sweepMs * (0.8 + 0.4 * Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }

  private swept({ orphans, deserted }: SweepResult): void {
    const { logger } = this.options;
    this.metrics.sweeps += 1;
    this.metrics.orphans += orphans.length;
    this.metrics.restarted += deserted.length;
    if (orphans.length > 0) logger.info({ registries: orphans.map(displayRef) }, 'ending workflows without a registry');
    if (deserted.length > 0) logger.warn({ registries: deserted.map(displayRef) }, 'restarting registry workflows');
    for (const registry of deserted) this.nudger.enqueue(registry);
  }

  /**
   * Removes the finalizer of a registry under deletion when Temporal is unavailable or does not make progress: owner
   * references clean up, and a workflow that resumes later finds its registry gone.
   */
  private async releaseWithoutTemporal(): Promise<void> {
    const { logger, temporalPatienceMs = TEMPORAL_PATIENCE_MS } = this.options;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const waitedMs = (since: number) => Math.max(this.temporal.silentForMs(), performance.now() - since);
      for (const { ref, deletingSinceMs, held } of this.watcher.index.all()) {
        if (!held || deletingSinceMs === undefined || waitedMs(deletingSinceMs) <= temporalPatienceMs) continue;
        try {
          await this.unprovision(ref);
          await this.api.patchFinalizers('MCPRegistry', ref, { remove: FINALIZER });
          this.metrics.released += 1;
        } catch (err) {
          logger.warn({ registry: displayRef(ref), err }, 'finalizer not removed');
        }
      }
      await sleep(Math.min(RELEASE_CHECK_MS, temporalPatienceMs), undefined, { signal }).catch(() => undefined);
    }
  }

  /** Leaves the rest to the cluster's garbage collector, which deletes what was made for a registry by owner references. */
  private unprovision(registry: RegistryRef): Promise<void> {
    return leaveNamespace({ api: this.api, ...this.options.provisioning }, registry);
  }

  private missing(): readonly string[] {
    return [
      ...(this.isSynced ? [] : ['the cluster caches are not synced']),
      ...(this.temporal.isConnected ? [] : ['Temporal is unavailable']),
    ];
  }
}

function describeWatch({ kind, namespace }: WatchName): string {
  return `the API server refuses to list ${kind} ${namespace === undefined ? 'in all namespaces' : `in namespace ${namespace}`}`;
}
