import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { leaveNamespace } from '#activities/provision/leave-namespace.js';
import type { ProvisionWorld } from '#activities/provision/provision-world.js';
import type { RegistryWorld } from '#activities/registry/registry-world.js';
import { orAborted } from '#concurrency/or-aborted.js';
import { retryForever } from '#concurrency/retry-forever.js';
import { displayRef, registryKey } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { EventRecorder } from '#kubernetes/event-recorder.js';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import { FINALIZER, KubernetesResourceStore } from '#kubernetes/kubernetes-resource-store.js';
import type { TemporalAccess } from '#temporal/connect.js';
import type { RunningWorker } from '#temporal/running-worker.js';
import { GroupResources } from './group-resources.js';
import type { NamespaceGroups } from './namespace-groups.js';
import { Nudger } from './nudger.js';
import type { OperatorMetrics } from './operator-metrics.js';
import { startRegistryWorker } from './registry-worker.js';
import type { RegistryWorkflows } from './registry-workflows.js';
import { sweep } from './sweep.js';
import type { SweepResult } from './sweep.js';
import { TemporalLink } from './temporal-link.js';
import type { ClusterWatcher } from './watch/cluster-watcher.js';

/** Interval of sweeps, about the same as that of relisting the cluster. */
const SWEEP_MS = 8 * 60_000;
/** Delay between two attempts to run the Temporal namespace of a group. */
const BACKOFF = { firstMs: 5_000, longestMs: 60_000 };
/** Work that ran for this long did not fail at its start, so the next failure counts as the first one again. */
const HEALTHY_MS = 5 * 60_000;

/** One Temporal namespace with the settings of the servers of its registries, which can reach no other. */
export interface TemporalPlace {
  /** Connects to Temporal. Retried until it succeeds once. */
  connectTemporal(): Promise<TemporalAccess>;
  readonly temporalNamespace: string;
  readonly provisioning: Omit<ProvisionWorld, 'api' | 'resources'>;
}

/** Dependencies that all Temporal namespaces of the operator share. */
export interface TemporalSurroundings {
  readonly api: KubernetesApi;
  readonly watcher: Pick<ClusterWatcher, 'index' | 'workloadOf' | 'sees' | 'synced'>;
  readonly groups: NamespaceGroups;
  readonly events: EventRecorder;
  readonly metrics: OperatorMetrics;
  findTaskQueue(): Promise<string>;
  /** Returns the id of the cluster, which is known once there is a task queue. */
  findCluster(): Promise<string>;
  readonly minSyncIntervalMs: number;
  readonly identity: string;
  /** Number of workflows that the worker of each Temporal namespace keeps in memory. */
  readonly cachedWorkflows: number;
  readonly sweepMs?: number;
  readonly logger: Logger;
}

/**
 * Everything that the operator runs in one Temporal namespace: the connection, the worker, the signals to workflows and
 * the sweep. It is responsible only for the registries of one group of namespaces, or for those without a group.
 */
export class TemporalNamespace {
  /** Rejects if the worker of registries without a group stops on its own. The process must then be restarted. */
  readonly ended: Promise<void>;

  private readonly nudger: Nudger;
  private readonly workloads: Nudger;
  private readonly world: Omit<RegistryWorld, 'provisioning'>;
  private readonly logger: Logger;
  private readonly stopping = new AbortController();
  private link: TemporalLink | undefined;
  /** Time at which the last worker stopped; undefined while one is running. */
  private idleSinceMs: number | undefined = performance.now();
  /** Keys of registries whose next nudge requires a check of their objects. */
  private readonly drifted = new Set<string>();

  constructor(
    private readonly place: TemporalPlace,
    private readonly around: TemporalSurroundings,
    /** Name of the group; absent for namespaces without one. */
    readonly group?: string,
  ) {
    const { api, minSyncIntervalMs, events, logger } = around;
    this.logger = group === undefined ? logger : logger.child({ temporalGroup: group });
    this.nudger = this.nudgerFor('nudge failed', (registry) => this.nudge(registry));
    this.workloads = this.nudgerFor('workload report failed', (registry) =>
      this.workflows.workloadChanged(registry, around.watcher.workloadOf(registry)),
    );
    this.world = {
      resources: this.resourcesBy(api),
      minSyncIntervalMs,
      announce: (registry, told) => events.record(registry, told),
      unprovision: (registry) => this.unprovision(registry),
    };
    this.ended = this.run();
    this.ended.catch(() => undefined);
  }

  get isConnected(): boolean {
    return this.link?.isConnected === true && this.idleSinceMs === undefined;
  }

  /** Returns the time since the last response from Temporal, or since the last worker stopped. */
  silentForMs(): number {
    return this.idleSinceMs === undefined ? (this.link?.silentForMs() ?? 0) : performance.now() - this.idleSinceMs;
  }

  /** Number of pending signals. */
  get backlog(): number {
    return this.nudger.backlog + this.workloads.backlog;
  }

  /** Nudges the workflow of a registry. `drift` says that objects created for the registry may have been changed. */
  enqueue(registry: RegistryRef, { drift }: { readonly drift: boolean }): void {
    if (drift) this.drifted.add(registryKey(registry));
    this.nudger.enqueue(registry);
  }

  /** Sends the state of the registry's Deployment to its workflow. */
  enqueueWorkload(registry: RegistryRef): void {
    this.workloads.enqueue(registry);
  }

  /**
   * Removes the operator's rights in the namespace. The cluster's garbage collector deletes the objects of the registry
   * by owner references. Does nothing if the namespace is gone, because nothing is left in it.
   */
  async unprovision(registry: RegistryRef): Promise<void> {
    const { api, groups } = this.around;
    if (groups.isGone(registry.namespace) || !this.owns(registry.namespace)) return;
    await leaveNamespace({ api, ...this.place.provisioning }, registry);
  }

  async stop(): Promise<void> {
    this.nudger.stop();
    this.workloads.stop();
    this.stopping.abort();
    await this.ended.catch(() => undefined);
  }

  /** Returns whether the registries of a namespace belong to this Temporal namespace. Throws while that is unknown. */
  private owns(namespace: string): boolean {
    return this.around.groups.groupOf(namespace) === this.group;
  }

  private resourcesBy(api: KubernetesApi): GroupResources {
    return new GroupResources(new KubernetesResourceStore(api), (namespace) => this.owns(namespace));
  }

  private get workflows(): RegistryWorkflows {
    if (!this.link) throw new Error('there is no connection to Temporal yet');
    return this.link.workflows;
  }

  /** Runs until stopped. A group whose Temporal fails is retried, so that it does not affect other groups. */
  private async run(): Promise<void> {
    const { signal } = this.stopping;
    const live = async (reset: () => void) => {
      const startedAtMs = performance.now();
      await this.live().finally(() => performance.now() - startedAtMs > HEALTHY_MS && reset());
    };
    await retryForever(live, {
      ...BACKOFF,
      signal,
      onFailure: (err, pauseMs) => {
        if (this.group === undefined) throw err;
        this.logger.error({ err, pauseMs }, 'work in the Temporal namespace of a group failed');
      },
    });
  }

  /** Connects and works until stopped; rejects if a part stops that does not recover on its own. */
  private async live(): Promise<void> {
    const worker = Promise.withResolvers<RunningWorker>();
    const ending = new AbortController();
    const link = new TemporalLink({
      connect: () => this.place.connectTemporal(),
      findTaskQueue: () => this.around.findTaskQueue(),
      onConnected: async (access, taskQueue) => worker.resolve(await this.startWork(access, taskQueue, ending.signal)),
      logger: this.logger,
    });
    this.link = link;
    const died = worker.promise.then(({ ended }) => ended);
    died.catch(() => undefined);
    try {
      await orAborted(Promise.race([link.ended, died]), this.stopping.signal);
    } finally {
      ending.abort();
      this.idleSinceMs ??= performance.now();
      await link.stop();
      worker.reject(new Error('stopped before the start had finished'));
      await worker.promise.then((running) => running.stop()).catch(() => undefined);
      await link.close();
      this.link = undefined;
    }
  }

  private nudgerFor(failure: string, nudge: (registry: RegistryRef) => Promise<void>): Nudger {
    return new Nudger({
      nudge,
      onFailure: (registry, err) => {
        this.around.metrics.nudgeFailures += 1;
        this.logger.warn({ registry: displayRef(registry), err }, failure);
      },
    });
  }

  private async nudge(registry: RegistryRef): Promise<void> {
    const { api, watcher, metrics } = this.around;
    const { index } = watcher;
    const seen = index.find(registry);
    // The registry has moved to another group. A nudge lets its old workflow notice that and complete.
    if (seen && !this.owns(registry.namespace)) return this.workflows.lookAgain(registry);
    if (seen && !seen.deleting && !seen.held) {
      await api.patchFinalizers('MCPRegistry', registry, { add: FINALIZER });
    }
    const key = registryKey(registry);
    const drift = this.drifted.delete(key);
    const { site } = this.place.provisioning;
    try {
      const nudge = {
        generation: seen?.generation ?? 0,
        ...(seen?.triggerToken !== undefined && { triggerToken: seen.triggerToken }),
        ...(drift && { drift }),
        ...(site && { site }),
      };
      // A registry with a status has had a workflow before. If that has been closed, the next one must continue with
      // higher run numbers.
      await this.workflows.nudge(registry, nudge, { isFirst: seen?.phase === undefined });
      metrics.nudges += 1;
    } catch (error) {
      if (drift) this.drifted.add(key);
      throw error;
    }
    // A new workflow does not know yet which objects exist.
    this.workloads.enqueue(registry);
  }

  /** Called after the first connection to Temporal. Until then, nudges fail and are retried. */
  private async startWork(
    { connection }: TemporalAccess,
    taskQueue: string,
    signal: AbortSignal,
  ): Promise<RunningWorker> {
    const { place, around } = this;
    const { api, identity, cachedWorkflows, metrics } = around;
    const cluster = await around.findCluster();
    const worker = await startRegistryWorker({
      connection,
      namespace: place.temporalNamespace,
      identity,
      grace: { softMs: 10_000, hardMs: 20_000 },
      taskQueue,
      cachedWorkflows,
      world: {
        ...this.world,
        provisioning: {
          api,
          cluster,
          resourcesBy: (other) => this.resourcesBy(other),
          ...place.provisioning,
          reconciled: metrics.reconciled,
        },
      },
    });
    this.idleSinceMs = undefined;
    for (const registry of this.ownRegistries()) this.nudger.enqueue(registry);
    void this.keepSweeping(signal);
    return worker;
  }

  private ownRegistries(): readonly RegistryRef[] {
    const { watcher, groups } = this.around;
    const refs = watcher.index.all().map(({ ref }) => ref);
    return refs.filter(({ namespace }) => groups.knows(namespace) && this.owns(namespace));
  }

  /**
   * Sweeps periodically, to find what no watch reports: workflows of registries that were deleted by force, were
   * deleted with their cluster, or moved to another group while no operator was running; and registries whose workflow
   * was terminated, failed, or disappeared with Temporal's data.
   */
  private async keepSweeping(signal: AbortSignal): Promise<void> {
    const { watcher, groups, sweepMs = SWEEP_MS } = this.around;
    await watcher.synced;
    while (!signal.aborted) {
      const sweeping = sweep({
        workflows: this.workflows,
        registries: () => this.ownRegistries(),
        sees: (namespace) => watcher.sees(namespace) && (groups.knows(namespace) || groups.isGone(namespace)),
        exists: (registry) => watcher.index.find(registry) !== undefined && this.owns(registry.namespace),
        hasReported: (registry) => watcher.index.find(registry)?.phase !== undefined,
      });
      await sweeping.then(
        (result) => this.swept(result),
        (err: unknown) => signal.aborted || this.logger.warn({ err }, 'sweep failed'),
      );
      await sleep(sweepMs * (0.8 + 0.4 * Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }

  private swept({ orphans, deserted, unstarted }: SweepResult): void {
    const { metrics } = this.around;
    const { logger } = this;
    metrics.sweeps += 1;
    metrics.orphans += orphans.length;
    metrics.restarted += deserted.length;
    if (orphans.length > 0) logger.info({ registries: orphans.map(displayRef) }, 'ending workflows without a registry');
    if (deserted.length > 0) logger.warn({ registries: deserted.map(displayRef) }, 'restarting registry workflows');
    for (const registry of [...deserted, ...unstarted]) this.nudger.enqueue(registry);
  }
}
