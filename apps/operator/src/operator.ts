import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ProvisionWorld } from '#activities/provision/provision-world.js';
import { displayRef } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { ClusterAccess } from '#kubernetes/cluster-access.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import { EventRecorder } from '#kubernetes/event-recorder.js';
import { FINALIZER, KubernetesResourceStore } from '#kubernetes/kubernetes-resource-store.js';
import type { TemporalAccess } from '#temporal/connect.js';
import type { RunningWorker } from '#temporal/running-worker.js';
import { startHealthServers } from './health-server.js';
import type { HealthPorts, HealthServers } from './health-server.js';
import { Nudger } from './nudger.js';
import { OperatorMetrics } from './operator-metrics.js';
import { startRegistryWorker } from './registry-worker.js';
import { sweep } from './sweep.js';
import { TemporalLink } from './temporal-link.js';
import { ClusterWatcher } from './watch/cluster-watcher.js';

/** Temporal may be away, or at work, for so long before what is to be deleted goes without it. */
const TEMPORAL_PATIENCE_MS = 60_000;
const LOOK_MS = 5_000;
/** About as often as the cluster is listed anew. */
const SWEEP_MS = 8 * 60_000;

export interface OperatorOptions {
  readonly access: ClusterAccess;
  /** Tried again and again until it succeeds once. */
  connectTemporal(): Promise<TemporalAccess>;
  readonly temporalNamespace: string;
  /** None means all. */
  readonly namespaces: readonly string[];
  /** What the servers of registries are made from. */
  readonly provisioning: Omit<ProvisionWorld, 'api' | 'resources'>;
  readonly minSyncIntervalMs: number;
  readonly identity: string;
  readonly ports: HealthPorts;
  readonly logger: Logger;
  readonly temporalPatienceMs?: number;
  /** How often it looks whether it has missed something. */
  readonly pace?: { readonly relistMs: readonly [least: number, most: number]; readonly sweepMs: number };
  /** For the workflows. */
  readonly taskQueue?: string;
}

/**
 * Watches a cluster, tells the workflow of each MCPRegistry to look again, and runs these workflows and the activities that
 * read, provision and report. It remembers nothing that it could not see again, and two of it do no harm: the workflow's
 * id is the lock.
 */
export class Operator {
  private readonly api: HttpKubernetesApi;
  private readonly watcher: ClusterWatcher;
  private readonly nudger: Nudger;
  private readonly workloads: Nudger;
  private readonly temporal: TemporalLink;
  private worker: RunningWorker | undefined;
  private health: HealthServers | undefined;
  /** Registries whose objects are to be looked at too. */
  private readonly drifted = new Set<string>();
  private readonly stopping = new AbortController();
  /** Of the worker, by itself. */
  private readonly death = Promise.withResolvers<never>();
  private readonly metrics = new OperatorMetrics({
    registries: () => this.watcher.index.all(),
    backlog: () => this.nudger.backlog + this.workloads.backlog,
    silentForMs: () => this.temporal.silentForMs(),
  });
  private synced = false;

  private constructor(private readonly options: OperatorOptions) {
    const { namespaces, logger, taskQueue, pace } = options;
    this.death.promise.catch(() => undefined);
    this.api = new HttpKubernetesApi(options.access);
    const failed = (what: string) => (registry: RegistryRef, err: unknown) => {
      this.metrics.failures += 1;
      logger.warn({ registry: displayRef(registry), err }, what);
    };
    this.nudger = new Nudger({
      nudge: (registry) => this.nudge(registry),
      onFailure: failed('could not tell a workflow to look again'),
    });
    this.workloads = new Nudger({
      nudge: (registry) => this.temporal.workflows.workloadChanged(registry, this.watcher.workloadOf(registry)),
      onFailure: failed('could not tell a workflow how its server is'),
    });
    this.temporal = new TemporalLink({
      connect: () => options.connectTemporal(),
      onConnected: (access) => this.work(access),
      ...(taskQueue && { taskQueue }),
      logger,
    });
    this.watcher = new ClusterWatcher({
      api: this.api,
      namespaces,
      onChange: (registry, { drift }) => {
        if (drift) this.drifted.add(registry.uid);
        this.nudger.enqueue(registry);
      },
      onWorkload: (registry) => this.workloads.enqueue(registry),
      onTrouble: (kind, err) => logger.warn({ kind, err }, 'could not watch the cluster'),
      ...(pace && { pace: { relistMs: pace.relistMs } }),
    });
  }

  static async start(options: OperatorOptions): Promise<Operator> {
    const { namespaces, ports, logger } = options;
    const allowed = namespaces.length === 0 ? 'all' : namespaces;
    logger.info({ namespaces: allowed }, 'watching MCPRegistries');
    const operator = new Operator(options);
    try {
      operator.health = await startHealthServers(
        { missing: () => operator.missing(), metrics: () => operator.metrics.format() },
        ports,
        logger,
      );
    } catch (error) {
      await operator.stop();
      throw error;
    }
    void operator.watcher.synced.then(() => {
      operator.synced = true;
      logger.info({ registries: operator.watcher.index.all().length }, 'seen everything in the cluster');
    });
    return operator;
  }

  get ports(): { readonly healthPort: number; readonly metricsPort: number } {
    return { healthPort: this.health?.healthPort ?? 0, metricsPort: this.health?.metricsPort ?? 0 };
  }

  /** Until the signal; rejects when a worker dies by itself. */
  async run(signal: AbortSignal): Promise<void> {
    const asked = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    if (!signal.aborted)
      await Promise.race([asked, this.temporal.ended, this.death.promise, this.releaseWithoutTemporal()]);
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

  private async nudge(registry: RegistryRef): Promise<void> {
    const seen = this.watcher.index.find(registry.uid);
    if (seen && !seen.deleting && !seen.held) {
      await this.api.patchFinalizers('MCPRegistry', registry, { add: FINALIZER });
    }
    const drift = this.drifted.delete(registry.uid);
    try {
      const nudge = {
        generation: seen?.generation ?? 0,
        ...(seen?.triggerToken !== undefined && { triggerToken: seen.triggerToken }),
        ...(drift && { drift }),
      };
      // Whose status was written has had a workflow. Should that have ended, the next one has to go on beyond it.
      await this.temporal.workflows.nudge(registry, nudge, { isFirst: seen?.phase === undefined });
      this.metrics.nudges += 1;
    } catch (error) {
      if (drift) this.drifted.add(registry.uid);
      throw error;
    }
    // A workflow that has just begun has heard nothing of what is there already.
    this.workloads.enqueue(registry);
  }

  /** From the first connection on. Until it stands, nudges wait and try again. */
  private async work({ connection }: TemporalAccess): Promise<void> {
    const { temporalNamespace, identity, provisioning, minSyncIntervalMs, taskQueue, logger } = this.options;
    const events = new EventRecorder(this.api, (registry, err) =>
      logger.warn({ registry: displayRef(registry), err }, 'could not write an Event'),
    );
    const worker = await startRegistryWorker({
      connection,
      namespace: temporalNamespace,
      identity,
      grace: { softMs: 10_000, hardMs: 20_000 },
      ...(taskQueue && { taskQueue }),
      world: {
        resources: new KubernetesResourceStore(this.api),
        minSyncIntervalMs,
        announce: (registry, told) => events.record(registry, told),
        // Owner references take along what was made for it.
        unprovision: async () => undefined,
        provisioning: { api: this.api, ...provisioning, reconciled: this.metrics.reconciled },
      },
    });
    this.worker = worker;
    worker.ended.catch((error: unknown) => this.death.reject(error));
    for (const { ref } of this.watcher.index.all()) this.nudger.enqueue(ref);
    void this.keepSweeping();
  }

  /**
   * What is deleted while nobody watches leaves its workflow behind: with a finalizer taken away by force, or with its cluster. And a
   * workflow can end before its registry does: by somebody's hand, with Temporal's data, or because it cannot go on.
   */
  private async keepSweeping(): Promise<void> {
    const { namespaces, logger, pace } = this.options;
    const { signal } = this.stopping;
    const sweepMs = pace?.sweepMs ?? SWEEP_MS;
    await this.watcher.synced;
    while (!signal.aborted) {
      const sweeping = sweep({
        workflows: this.temporal.workflows,
        namespaces,
        registries: () => this.watcher.index.all().map(({ ref }) => ref),
        exists: ({ uid }) => this.watcher.index.find(uid) !== undefined,
      });
      await sweeping.then(
        ({ orphans, deserted }) => {
          this.metrics.sweeps += 1;
          this.metrics.orphans += orphans.length;
          if (orphans.length > 0)
            logger.info({ registries: orphans.map(displayRef) }, 'ending workflows without a registry');
          if (deserted.length > 0)
            logger.warn({ registries: deserted.map(displayRef) }, 'beginning anew the workflows of registries');
          for (const registry of deserted) this.nudger.enqueue(registry);
        },
        (err: unknown) => signal.aborted || logger.warn({ err }, 'could not compare workflows with registries'),
      );
      await sleep(sweepMs * (0.8 + 0.4 * Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }

  /**
   * Deletion must not depend on Temporal, be it away or answering without getting anything done: owner references clean up,
   * and a workflow that comes back finds its object gone.
   */
  private async releaseWithoutTemporal(): Promise<void> {
    const { logger, temporalPatienceMs = TEMPORAL_PATIENCE_MS } = this.options;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const waitedMs = (since: number) => Math.max(this.temporal.silentForMs(), performance.now() - since);
      for (const { ref, deletingSinceMs, held } of this.watcher.index.all()) {
        if (!held || deletingSinceMs === undefined || waitedMs(deletingSinceMs) <= temporalPatienceMs) continue;
        await this.api.patchFinalizers('MCPRegistry', ref, { remove: FINALIZER }).then(
          () => (this.metrics.released += 1),
          (err: unknown) => logger.warn({ registry: displayRef(ref), err }, 'could not let a registry go'),
        );
      }
      await sleep(Math.min(LOOK_MS, temporalPatienceMs), undefined, { signal }).catch(() => undefined);
    }
  }

  private missing(): readonly string[] {
    return [
      ...(this.synced ? [] : ['the cluster has not been seen yet']),
      ...(this.temporal.isConnected ? [] : ['Temporal does not answer']),
    ];
  }
}
