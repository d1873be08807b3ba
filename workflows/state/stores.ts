import type { Store, SyncFailure, SyncOutcome } from '#domain/sync.js';
import { storeAnnounced } from './provisioning.js';
import { mapSource, mapStores, openStores } from './registry-state.js';
import type { RegistryState, StoreState } from './registry-state.js';
import { requested, unsynced } from './syncs.js';

const ADOPTION_RETRY_MS = 30_000;

/**
 * A new store gets everything at once; one that came back keeps its schedule, and syncs what has no interval and what
 * nobody took while it was away (`makesUp`: earlier workflows did not). A server that took over from another was made
 * from other Secrets and volumes: what failed there may succeed here.
 */
export function opened(state: RegistryState, store: Store, nowMs: number, makesUp = true): RegistryState {
  const known = state.stores[store.id];
  const plans = state.desired?.sources ?? [];
  const sources = Object.fromEntries(
    plans.map((plan) => {
      const source = known?.sources[plan.name];
      if (!source) return [plan.name, unsynced(plan, nowMs)];
      const isElsewhere = known?.store.taskQueue !== store.taskQueue;
      const isUntaken = makesUp && source.failure?.reason === 'StoreLost';
      const again = plan.intervalMs === undefined || isUntaken || (source.failure && isElsewhere);
      return [plan.name, again ? requested(source, 'start', nowMs) : source];
    }),
  );
  // Of one that was lost nothing is to be known any more once another has taken its place.
  const others = openStores(state).map((other) => [other.store.id, other] as const);
  return {
    ...state,
    stores: { ...Object.fromEntries(others), [store.id]: { store, openedAtMs: nowMs, sources } },
    ...(state.provisioning && { provisioning: storeAnnounced(state.provisioning) }),
  };
}

/**
 * The store took no task: it is gone until it announces itself again. What is known of its sources is as true as before, and
 * what ran in it ends by itself.
 */
export function lost(state: RegistryState, storeId: string): RegistryState {
  return mapStores(state, (store) => (store.store.id === storeId ? { ...store, lost: true } : store));
}

/** How much is remembered of stores that are lost: the last word is that of today, the others are those of earlier workflows. */
export type Memory = 'of none' | 'of all' | 'of the last';

/** What is known of a store stands for the registry as long as there is no other: that one tells by itself how it is. */
export function gone(state: RegistryState, storeId: string, memory: Memory = 'of the last'): RegistryState {
  const isLast = openStores(state).every(({ store }) => store.id === storeId);
  const isRemembered = memory === 'of all' || (memory === 'of the last' && isLast);
  return isRemembered ? lost(state, storeId) : forgotten(state, storeId);
}

function forgotten(state: RegistryState, storeId: string): RegistryState {
  const { [storeId]: _gone, ...stores } = state.stores;
  return { ...state, stores };
}

/**
 * A task of this source was not taken. Where another server has taken the store over since, or the same one was down and has
 * come back, it is to be done now; otherwise the store is gone.
 */
export function untaken(
  state: RegistryState,
  { storeId, source, taskQueue, startedAt }: Pick<SyncOutcome, 'storeId' | 'source' | 'taskQueue' | 'startedAt'>,
  nowMs: number,
  memory: Memory = 'of the last',
): RegistryState {
  const known = state.stores[storeId];
  const isOfOther = taskQueue !== undefined && taskQueue !== known?.store.taskQueue;
  const isBack = memory !== 'of none' && known !== undefined && startedAt < known.openedAtMs;
  if (!isOfOther && !isBack) return gone(state, storeId, memory);
  return mapSource(state, storeId, source, (each) => requested(each, 'start', nowMs));
}

/** Stores whose sources are not those of the current plan yet. */
export function storesToAdopt(state: RegistryState, nowMs: number): StoreState[] {
  const plan = wholePlanDigest(state);
  if (plan === undefined) return [];
  return openStores(state).filter(
    (store) => !store.adopting && store.adoptedPlan !== plan && (store.retryAdoptionAtMs ?? 0) <= nowMs,
  );
}

export function adoptionStarted(state: RegistryState, storeId: string): RegistryState {
  return mapStores(state, (store) => (store.store.id === storeId ? { ...store, adopting: true } : store));
}

/**
 * `plan` undefined: the store could not be told; it is tried again later. `taskQueue`: of the server that was told, which may
 * not be the one any more that has the store.
 */
export function adoptionSettled(
  state: RegistryState,
  { id, taskQueue }: Pick<Store, 'id'> & { readonly taskQueue?: string },
  plan: string | undefined,
  nowMs: number,
  failure?: SyncFailure,
): RegistryState {
  return mapStores(state, (store) => {
    if (store.store.id !== id || (taskQueue !== undefined && store.store.taskQueue !== taskQueue)) return store;
    const { retryAdoptionAtMs: _retry, adopting: _adopting, adoptionFailure: _failure, ...rest } = store;
    return plan === undefined
      ? { ...rest, retryAdoptionAtMs: nowMs + ADOPTION_RETRY_MS, ...(failure && { adoptionFailure: failure }) }
      : { ...rest, adoptedPlan: plan };
  });
}

/** Of everything that a store must know of the plan; undefined while there is none. */
export function wholePlanDigest(state: RegistryState): string | undefined {
  return state.desired && state.desired.invalid === undefined
    ? JSON.stringify([state.desired.generation, state.desired.sources.map((plan) => [plan.name, plan.intervalMs])])
    : undefined;
}
