import type { ProvisionActivities, RegistryActivities, SyncActivities } from '#activities/contract.js';
import type { Store, SyncOutcome, SyncRequest } from '#domain/sync.js';
import { untilNextDue } from './state/agenda.js';
import { NOT_PROVISIONED } from './state/provisioning.js';
import type { ProvisioningState } from './state/provisioning.js';
import type { RegistryState } from './state/registry-state.js';
import { syncUntaken } from './state/stores.js';
import { settled } from './state/syncs.js';
import type { SyncRun } from './state/syncs.js';
import type { Task, TaskName } from './tasks/task.js';

/** What the life of a registry needs of the world around it: Temporal in a workflow, something faster in a test. */
export interface Runtime {
  readonly registry: Pick<RegistryActivities, 'readDesiredState' | 'reportStatus'>;
  readonly provision: ProvisionActivities;
  syncActivities(store: Store): Pick<SyncActivities, 'adoptPlan'>;
  /** Resolves when the run is there; `ended` resolves when it has ended, however it did. */
  startSync(request: SyncRequest): Promise<{ readonly ended: Promise<void> }>;
  /** Resolves when the run was asked to end, or has ended already. */
  cancelSync(run: SyncRun): Promise<void>;
  nowMs(): number;
  /** From 0 to 1. */
  random(): number;
  sleep(ms: number): Promise<void>;
  /** Resolves when the predicate holds, or after the time-out. */
  until(predicate: () => boolean, timeoutMs?: number): Promise<void>;
}

/** The state of a registry's life together with what is under way for it. */
export class RegistryLife {
  /** Runs that were asked for and are not there yet. */
  readonly starting = new Set<number>();
  /** Runs that were asked to end. */
  readonly ending = new Set<number>();
  /** Runs whose end is noticed here, however they end; those that an earlier run of the workflow started are not among them. */
  readonly watched = new Set<number>();
  readonly #underWay = new Map<string, TaskName>();

  constructor(
    public state: RegistryState,
    readonly runtime: Runtime,
  ) {}

  get isIdle(): boolean {
    return this.#underWay.size === 0;
  }

  get isOver(): boolean {
    return this.state.gone === true || this.state.desired?.deleting === true;
  }

  update(change: (state: RegistryState) => RegistryState): void {
    this.state = change(this.state);
  }

  updateProvisioning(change: (known: ProvisioningState) => ProvisioningState): void {
    const known = this.state.provisioning ?? NOT_PROVISIONED;
    const provisioning = change(known);
    if (provisioning !== known) this.state = { ...this.state, provisioning };
  }

  /** Takes in the outcome of a run. A store whose tasks no worker takes is given up. */
  settle(outcome: SyncOutcome): void {
    const nowMs = this.runtime.nowMs();
    this.update((state) => settled(state, outcome, nowMs, this.runtime.random()));
    if (outcome.failure?.reason === 'StoreLost') this.update((state) => syncUntaken(state, outcome, nowMs));
  }

  /** Starts everything that is due; each errand is under way once at most, and none waits for another. */
  startDue(tasks: readonly Task<RegistryLife>[]): void {
    for (const task of tasks) {
      for (const { key, run } of task.due(this, this.runtime.nowMs()))
        this.#inBackground(`${task.name} ${key}`, task, run);
    }
  }

  /** Resolves when the state is another than `seen`, or when something is due. */
  async untilNews(seen: RegistryState): Promise<void> {
    if (this.state !== seen) return;
    const isUnderWay = (task: string): boolean => [...this.#underWay.values()].some((name) => name === task);
    const isWatched = (run: number): boolean => this.watched.has(run);
    const dueInMs = untilNextDue(this.state, this.runtime.nowMs(), { isUnderWay, isWatched });
    await this.runtime.until(() => this.state !== seen, dueInMs === undefined ? undefined : Math.max(1, dueInMs));
  }

  #inBackground(errand: string, { name }: Task<RegistryLife>, run: () => Promise<void>): void {
    if (this.#underWay.has(errand)) return;
    this.#underWay.set(errand, name);
    void run().finally(() => {
      this.#underWay.delete(errand);
      // A new state wakes the loop.
      this.update((state) => ({ ...state }));
    });
  }
}
