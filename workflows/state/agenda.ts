import { reportDueAtMs } from './facts.js';
import { contestOverAtMs, NOT_PROVISIONED, provisionDueAtMs } from './provisioning.js';
import { openStores } from './registry-state.js';
import type { RegistryState, StoreState } from './registry-state.js';
import { planKey } from './stores.js';
import type { DueSync } from './syncs.js';

/** Returns the syncs that are to be started now, into stores that know the current plan. */
export function dueSyncs(state: RegistryState, nowMs: number): DueSync[] {
  const plan = planKey(state);
  return openStores(state)
    .filter((store) => store.adoptedPlan !== undefined && store.adoptedPlan === plan)
    .flatMap(({ store, sources }) =>
      Object.entries(sources).flatMap(([source, { due, running }]) =>
        due && !running && due.atMs <= nowMs ? [{ storeId: store.id, source, trigger: due.trigger }] : [],
      ),
    );
}

/** What is under way beside the state. */
export interface Progress {
  isUnderWay(this: void, task: string): boolean;
  /** Whether the end of a run will be noticed here. */
  isWatched(this: void, run: number): boolean;
}

/**
 * Returns how long there is nothing to do unless a message comes; undefined: until one comes. The next due time of a task that is
 * under way does not count, nor does the deadline of a watched run: their end wakes the loop.
 */
export function untilNextDue(
  state: RegistryState,
  nowMs: number,
  { isUnderWay, isWatched }: Progress,
): number | undefined {
  const plan = planKey(state);
  const times = Object.values(state.stores).flatMap((store) => storeTimes(store, { plan, nowMs, isWatched }));
  if (!isUnderWay('report')) times.push(reportDueAtMs(state) ?? Infinity);
  if (!isUnderWay('read') && state.stale) times.push(state.retryReadAtMs ?? Infinity);
  if (!isUnderWay('provision')) times.push(...provisionTimes(state));
  const next = Math.min(Infinity, ...times);
  return next === Infinity ? undefined : Math.max(0, next - nowMs);
}

interface StoreMoment extends Pick<Progress, 'isWatched'> {
  readonly plan: string | undefined;
  readonly nowMs: number;
}

function storeTimes(store: StoreState, { plan, nowMs, isWatched }: StoreMoment): number[] {
  const sources = Object.values(store.sources);
  const deadlines = sources.flatMap(({ running }) => (running && !isWatched(running.run) ? [running.deadlineMs] : []));
  if (plan === undefined || store.adopting || store.lost) return deadlines;
  if (store.adoptedPlan !== plan) return [...deadlines, store.retryAdoptionAtMs ?? nowMs];
  return [...deadlines, ...sources.flatMap(({ due, running }) => (due && !running ? [due.atMs] : []))];
}

function provisionTimes({ desired, provisioning = NOT_PROVISIONED }: RegistryState): number[] {
  if (!desired?.provision || desired.invalid !== undefined) return [];
  const times = [provisionDueAtMs(provisioning, desired.provision), contestOverAtMs(provisioning)];
  return times.filter((time) => time !== undefined);
}
