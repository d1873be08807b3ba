import { ownMember } from '#domain/own-member.js';
import type { Store, SyncFailure, SyncOutcome } from '#domain/sync.js';
import { storeAnnounced } from './provisioning.js';
import { mapSource, mapStore, mapStores, MOST_STORES, openStores } from './registry-state.js';
import type { RegistryState, StoreState } from './registry-state.js';
import { requested, unsynced } from './syncs.js';

const ADOPTION_RETRY_MS = 30_000;

/**
 * Adds a store, or the same store that came back. A new store gets everything immediately. A store that came back keeps
 * its schedule, but syncs the sources that have no interval and those for which no worker accepted a task while it was
 * gone. If the server is a different one, sources that failed are synced too, because it was created with other Secrets
 * and volumes.
 */
export function openStore(state: RegistryState, store: Store, nowMs: number): RegistryState {
  const known = state.stores[store.id];
  const isSameServer = known?.store.taskQueue === store.taskQueue;
  const plans = state.desired?.sources ?? [];
  const sources = Object.fromEntries(
    plans.map((plan) => {
      const source = ownMember(known?.sources, plan.name);
      if (!source) return [plan.name, unsynced(plan, nowMs)];
      const isUntaken = source.failure?.reason === 'StoreLost';
      const again = plan.intervalMs === undefined || isUntaken || (source.failure && !isSameServer);
      return [plan.name, again ? requested(source, 'start', nowMs) : source];
    }),
  );
  // An adoption in progress on the same queue continues, and its end is awaited.
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
 * Returns the other open stores, which must all be given the plan again. The server of one of them may have been
 * replaced by the new one, and a store that accepts no task is detected in this way. A store that was lost before is
 * forgotten, now that another has taken its place.
 */
function checkedAgain(state: RegistryState, openedId: string): Record<string, StoreState> {
  const others = openStores(state)
    .filter(({ store }) => store.id !== openedId)
    .toSorted((a, b) => b.openedAtMs - a.openedAtMs)
    .slice(0, MOST_STORES - 1);
  return Object.fromEntries(others.map(({ adoptedPlan: _plan, ...other }) => [other.store.id, other]));
}

/**
 * Gives up a store that did not accept a task, until it announces itself again. The last known state of the only store
 * is kept, because it still describes the registry. If there is another store, this one is removed.
 */
export function dropStore(state: RegistryState, storeId: string): RegistryState {
  const isLast = openStores(state).every(({ store }) => store.id === storeId);
  if (isLast) return mapStore(state, storeId, (store) => ({ ...store, lost: true }));
  const { [storeId]: _dropped, ...stores } = state.stores;
  return { ...state, stores };
}

/**
 * Handles a sync whose task no worker accepted. If another server has taken the store over, or the same one has come
 * back, the source is synced now. Otherwise the store is given up.
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

/** Returns the stores that have not adopted the current plan and can be given it now. */
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

/**
 * Records that a server has adopted the plan. If another server has taken the store over in the meantime, that one
 * adopts it separately.
 */
export function adoptionDone(state: RegistryState, told: Store, plan: string | undefined): RegistryState {
  return ofServer(state, told, (store) => ({
    ...settledAdoption(store),
    ...(plan !== undefined && { adoptedPlan: plan }),
  }));
}

/**
 * Records that a server could not adopt the plan, which is retried later. `ConfigurationPending` is not shown as a
 * failure, because an edit is on its way to a server that reads it from a volume. If no worker of the
 * store took the task, the store is dropped, unless its server has restarted in the meantime and will adopt the plan.
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

/** Changes the store if it still belongs to the server that was given the plan. */
function ofServer(state: RegistryState, told: Store, change: (store: StoreState) => StoreState): RegistryState {
  return mapStores(state, (store) =>
    store.store.id === told.id && store.store.taskQueue === told.taskQueue ? change(store) : store,
  );
}

/** Returns a key for everything that a store must know about the plan, or undefined if there is no plan. */
export function planKey(state: RegistryState): string | undefined {
  return state.desired && state.desired.invalid === undefined
    ? JSON.stringify([state.desired.generation, state.desired.sources.map((plan) => [plan.name, plan.intervalMs])])
    : undefined;
}
