import type { Store, SyncFailure, SyncOutcome } from '#domain/sync.js';
import { storeAnnounced } from './provisioning.js';
import { mapSource, mapStore, mapStores, openStores } from './registry-state.js';
import type { RegistryState, StoreState } from './registry-state.js';
import { requested, unsynced } from './syncs.js';

const ADOPTION_RETRY_MS = 30_000;

/**
 * Adds a store, or the same one that came back. A new store gets everything at once; one that came back keeps its schedule, and
 * syncs what has no interval and what no worker took while it was away. A server that took over from another was made from
 * other Secrets and volumes: what failed there may succeed here.
 */
export function openStore(state: RegistryState, store: Store, nowMs: number): RegistryState {
  const known = state.stores[store.id];
  const isSameServer = known?.store.taskQueue === store.taskQueue;
  const plans = state.desired?.sources ?? [];
  const sources = Object.fromEntries(
    plans.map((plan) => {
      const source = known?.sources[plan.name];
      if (!source) return [plan.name, unsynced(plan, nowMs)];
      const isUntaken = source.failure?.reason === 'StoreLost';
      const again = plan.intervalMs === undefined || isUntaken || (source.failure && !isSameServer);
      return [plan.name, again ? requested(source, 'start', nowMs) : source];
    }),
  );
  // An adoption that is under way on the same queue goes on, and its end is waited for.
  const opened: StoreState = {
    store,
    openedAtMs: nowMs,
    sources,
    ...(known?.adopting && isSameServer && { adopting: true }),
  };
  return {
    ...state,
    stores: { ...checkedAgain(state, store.id), [store.id]: opened },
    ...(state.provisioning && { provisioning: storeAnnounced(state.provisioning) }),
  };
}

/**
 * Returns the other open stores, each to be told of the plan again: the server of one may have made room for the new one, and a
 * store that takes no task is found out by that. What was lost before is forgotten now that another has taken its place.
 */
function checkedAgain(state: RegistryState, openedId: string): Record<string, StoreState> {
  const others = openStores(state).filter(({ store }) => store.id !== openedId);
  return Object.fromEntries(others.map(({ adoptedPlan: _plan, ...other }) => [other.store.id, other]));
}

/**
 * Gives up a store that took no task, until it announces itself again. What is known of the only store still stands for the
 * registry; another one speaks for itself.
 */
export function dropStore(state: RegistryState, storeId: string): RegistryState {
  const isLast = openStores(state).every(({ store }) => store.id === storeId);
  if (isLast) return mapStore(state, storeId, (store) => ({ ...store, lost: true }));
  const { [storeId]: _dropped, ...stores } = state.stores;
  return { ...state, stores };
}

/**
 * Handles a sync whose task no worker took. Where another server has taken the store over since, or the same one has come
 * back, the source is synced now; otherwise the store is given up.
 */
export function syncUntaken(
  state: RegistryState,
  { storeId, source, taskQueue, startedAt }: Pick<SyncOutcome, 'storeId' | 'source' | 'taskQueue' | 'startedAt'>,
  nowMs: number,
): RegistryState {
  const known = state.stores[storeId];
  const isOfOther = taskQueue !== undefined && taskQueue !== known?.store.taskQueue;
  const isBack = known !== undefined && startedAt < known.openedAtMs;
  if (!isOfOther && !isBack) return dropStore(state, storeId);
  return mapSource(state, storeId, source, (each) => requested(each, 'start', nowMs));
}

/** Returns the stores that have not adopted the current plan and may be told of it now. */
export function storesToAdopt(state: RegistryState, nowMs: number): StoreState[] {
  const plan = planKey(state);
  if (plan === undefined) return [];
  return openStores(state).filter(
    (store) => !store.adopting && store.adoptedPlan !== plan && (store.retryAdoptionAtMs ?? 0) <= nowMs,
  );
}

export function adoptionStarted(state: RegistryState, storeId: string): RegistryState {
  return mapStore(state, storeId, (store) => ({ ...store, adopting: true }));
}

/** Notes that a server has adopted the plan. A server that has taken the store over since adopts it by itself. */
export function adoptionDone(state: RegistryState, told: Store, plan: string | undefined): RegistryState {
  return ofServer(state, told, (store) => ({
    ...settledAdoption(store),
    ...(plan !== undefined && { adoptedPlan: plan }),
  }));
}

/**
 * Takes in that a server could not adopt the plan: it is asked again later. `ConfigurationPending` is no failure to show, since
 * an edit is on its way to a server that reads it from a volume. A store that took no task is given up, unless it came back
 * since and is to adopt it now.
 */
export function adoptionFailed(
  state: RegistryState,
  { store: told, openedAtMs }: StoreState,
  failure: SyncFailure,
  nowMs: number,
): RegistryState {
  const isUntaken = failure.reason === 'StoreLost';
  const now = state.stores[told.id];
  const isBack = now?.store.taskQueue === told.taskQueue && now.openedAtMs !== openedAtMs;
  if (isUntaken && isBack) return ofServer(state, told, settledAdoption);
  const settled = ofServer(state, told, (store) => ({
    ...settledAdoption(store),
    retryAdoptionAtMs: nowMs + ADOPTION_RETRY_MS,
    ...(failure.reason !== 'ConfigurationPending' && { adoptionFailure: failure }),
  }));
  return isUntaken && now?.store.taskQueue === told.taskQueue ? dropStore(settled, told.id) : settled;
}

function settledAdoption(store: StoreState): StoreState {
  const { retryAdoptionAtMs: _retry, adopting: _adopting, adoptionFailure: _failure, ...rest } = store;
  return rest;
}

/** Changes the store if the server that was told still has it. */
function ofServer(state: RegistryState, told: Store, change: (store: StoreState) => StoreState): RegistryState {
  return mapStores(state, (store) =>
    store.store.id === told.id && store.store.taskQueue === told.taskQueue ? change(store) : store,
  );
}

/** Identifies everything that a store must know of the plan; undefined while there is none. */
export function planKey(state: RegistryState): string | undefined {
  return state.desired && state.desired.invalid === undefined
    ? JSON.stringify([state.desired.generation, state.desired.sources.map((plan) => [plan.name, plan.intervalMs])])
    : undefined;
}
