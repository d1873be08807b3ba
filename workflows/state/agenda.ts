import { reportDueAtMs } from './facts.js';
import { contestOverAtMs, NOT_PROVISIONED, provisionDueAtMs } from './provisioning.js';
import { openStores } from './registry-state.js';
import type { RegistryState, StoreState } from './registry-state.js';
import { planKey } from './stores.js';
import type { DueSync } from './syncs.js';

/** Returns the syncs that must be started now, into stores that have adopted the current plan. */
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

/** Work in progress that is not part of the state. */
export interface Progress {
  isUnderWay(this: void, task: string): boolean;
  /** Returns the time at which a run must be checked, or undefined if its end will be noticed anyway. */
  lookDueAtMs(this: void, run: number): number | undefined;
}

/**
 * Returns how long there is nothing to do unless a message arrives, or undefined if only a message can cause work.
 * Tasks in progress and watched runs are not considered, because their end wakes the loop.
 */
export function untilNextDue(
  state: RegistryState,
  nowMs: number,
  { isUnderWay, lookDueAtMs }: Progress,
): number | undefined {
  const plan = planKey(state);
  const times = Object.values(state.stores).flatMap((store) => storeTimes(store, { plan, nowMs, lookDueAtMs }));
  if (!isUnderWay('report')) times.push(reportDueAtMs(state) ?? Infinity);
  if (!isUnderWay('read') && state.stale) times.push(state.retryReadAtMs ?? Infinity);
  if (!isUnderWay('provision')) times.push(...provisionTimes(state));
  const next = Math.min(Infinity, ...times);
  return next === Infinity ? undefined : Math.max(0, next - nowMs);
}

interface StoreMoment extends Pick<Progress, 'lookDueAtMs'> {
  readonly plan: string | undefined;
  readonly nowMs: number;
}

function storeTimes(store: StoreState, { plan, nowMs, lookDueAtMs }: StoreMoment): number[] {
  const sources = Object.values(store.sources);
  const looks = sources.flatMap(({ running }) => {
    if (!running) return [];
    const lookAtMs = lookDueAtMs(running.run);
    return lookAtMs === undefined ? [] : [Math.min(running.deadlineMs, lookAtMs)];
  });
  if (plan === undefined || store.adopting || store.lost) return looks;
  if (store.adoptedPlan !== plan) return [...looks, store.retryAdoptionAtMs ?? nowMs];
  return [...looks, ...sources.flatMap(({ due, running }) => (due && !running ? [due.atMs] : []))];
}

function provisionTimes({ desired, provisioning = NOT_PROVISIONED }: RegistryState): number[] {
  if (!desired?.provision || desired.invalid !== undefined) return [];
  const times = [provisionDueAtMs(provisioning, desired.provision), contestOverAtMs(provisioning)];
  return times.filter((time) => time !== undefined);
}
