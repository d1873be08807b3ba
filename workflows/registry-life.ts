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

/** The environment of a registry's life: Temporal in a workflow, or something faster in a test. */
export interface Runtime {
  readonly registry: Pick<RegistryActivities, 'readDesiredState' | 'reportStatus'>;
  readonly provision: ProvisionActivities;
  syncActivities(store: Store): Pick<SyncActivities, 'adoptPlan'>;
  /** Starts a sync run. Resolves when the run exists; `ended` resolves when it has ended for any reason. */
  startSync(request: SyncRequest): Promise<{ readonly ended: Promise<void> }>;
  /** Asks a run to cancel. Returns false if the request could not be delivered although the run may still be open. */
  cancelSync(run: SyncRun): Promise<boolean>;
  /** Asks Temporal whether the run is still open. Unless Temporal says that it has completed, it counts as open. */
  isSyncOpen(run: SyncRun): Promise<boolean>;
  nowMs(): number;
  /** Returns a random number from 0 to 1. */
  random(): number;
  sleep(ms: number): Promise<void>;
  /** Resolves when the predicate is true or the timeout expires. */
  until(predicate: () => boolean, timeoutMs?: number): Promise<void>;
}

const LOOK_INTERVAL_MS = 2 * 60_000;

/** The state of a registry's life, together with the work that is in progress for it. */
export class RegistryLife {
  /** Runs that were requested but do not exist yet. */
  readonly starting = new Set<number>();
  /** Runs that were asked to stop. */
  readonly ending = new Set<number>();
  /**
   * Runs whose end is noticed here, for any reason. Does not include runs that an earlier run of the workflow started.
   */
  readonly watched = new Set<number>();
  /** Time at which the server was last asked about each run that is not watched. */
  readonly #lookedAtMs = new Map<number, number>();
  /**
   * Time at which this run of the workflow first asked. Checks are due only some time after it, because many checks at
   * once, right after the start of a run, would fill its history.
   */
  #firstAskedAtMs: number | undefined;
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

  /** Applies the outcome of a run. A store whose tasks no worker accepts is given up. */
  settle(outcome: SyncOutcome): void {
    const nowMs = this.runtime.nowMs();
    this.update((state) => settled(state, outcome, nowMs, this.runtime.random()));
    if (outcome.failure?.reason === 'StoreLost') this.update((state) => syncUntaken(state, outcome, nowMs));
  }

  /**
   * Returns the time of the next check of a run that nothing here is waiting for, or undefined for a run that is
   * watched.
   */
  lookDueAtMs(run: number): number | undefined {
    if (this.watched.has(run)) return undefined;
    this.#firstAskedAtMs ??= this.runtime.nowMs();
    return (this.#lookedAtMs.get(run) ?? this.#firstAskedAtMs) + LOOK_INTERVAL_MS;
  }

  noteLook(run: number): void {
    this.#lookedAtMs.set(run, this.runtime.nowMs());
  }

  /** Starts everything that is due. Each errand runs at most once at a time, and none waits for another. */
  startDue(tasks: readonly Task<RegistryLife>[]): void {
    for (const task of tasks) {
      for (const { key, run } of task.due(this, this.runtime.nowMs()))
        this.#inBackground(`${task.name} ${key}`, task, run);
    }
  }

  /** Resolves when the state is no longer `seen`, or when something is due. */
  async untilNews(seen: RegistryState): Promise<void> {
    if (this.state !== seen) return;
    const isUnderWay = (task: string): boolean => [...this.#underWay.values()].some((name) => name === task);
    const lookDueAtMs = (run: number): number | undefined => this.lookDueAtMs(run);
    const dueInMs = untilNextDue(this.state, this.runtime.nowMs(), { isUnderWay, lookDueAtMs });
    await this.runtime.until(() => this.state !== seen, dueInMs === undefined ? undefined : Math.max(1, dueInMs));
  }

  #inBackground(errand: string, { name }: Task<RegistryLife>, run: () => Promise<void>): void {
    if (this.#underWay.has(errand)) return;
    this.#underWay.set(errand, name);
    void run().finally(() => {
      this.#underWay.delete(errand);
      // A new state object wakes the loop.
      this.update((state) => ({ ...state }));
    });
  }
}
