import type { DesiredState } from '#activities/contract.js';
import type { Notice } from '#domain/notice.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { Store, SyncFailure, SyncTrigger } from '#domain/sync.js';
import type { ProvisioningState } from './provisioning.js';

/**
 * All that the life of one MCPRegistry remembers, and the decisions over it: pure functions from state to state. It is
 * carried across continue-as-new, so it holds references, hashes and counts only, and absolute times in milliseconds.
 */
export interface RegistryState {
  readonly registry: RegistryRef;
  /** The resource must be read again. */
  readonly stale: boolean;
  /** It could not be read; not before then again, unless something is heard of it. */
  readonly retryReadAtMs?: number;
  readonly desired?: DesiredState;
  /** The resource is gone: nothing is left to do. */
  readonly gone?: true;
  /** Value of the sync-trigger annotation that was acted upon last; repeats of it are ignored for ever. */
  readonly handledTrigger?: string;
  readonly stores: Readonly<Record<string, StoreState>>;
  /** Number of the next sync run; never used twice in the life of a registry. */
  readonly nextRun: number;
  readonly report: { readonly digest: string; readonly atMs: number };
  /** Where a server is run for the registry. */
  readonly provisioning?: ProvisioningState;
}

export interface StoreState {
  readonly store: Store;
  readonly openedAtMs: number;
  /** It took no task since: nothing is synced into it until it announces itself again. */
  readonly lost?: true;
  /** The plan that the store has adopted; it must know the current one before anything is synced into it. */
  readonly adoptedPlan?: string;
  /** Being told of it at this moment; never true across continue-as-new. */
  readonly adopting?: boolean;
  readonly retryAdoptionAtMs?: number;
  /** Why it could not be told of the plan; meanwhile nothing is synced into it. */
  readonly adoptionFailure?: SyncFailure;
  readonly sources: Readonly<Record<string, SourceState>>;
}

export interface SourceState {
  /** Hashes of the plan as it was when the source was last made due by a change. */
  readonly planned: string;
  readonly due?: { readonly atMs: number; readonly trigger: SyncTrigger };
  readonly running?: RunningSync;
  /** The run that was started last, finished or not. */
  readonly lastRun?: number;
  readonly attemptCount: number;
  readonly lastAttemptAtMs?: number;
  readonly lastSync?: {
    readonly atMs: number;
    readonly hash?: string;
    readonly revision?: string;
    readonly servers?: number;
    readonly quarantined?: number;
    readonly quarantinedEntries?: readonly string[];
    readonly notice?: Notice;
    /** Of the filter that the stored entries are marked by. */
    readonly filterHash?: string;
  };
  readonly failure?: SyncFailure;
}

export interface RunningSync {
  readonly run: number;
  readonly trigger: SyncTrigger;
  readonly startedAtMs: number;
  /** Of the plan that it was started with. */
  readonly filterHash?: string;
  /** No report by then counts as a failure. */
  readonly deadlineMs: number;
  /** The plan has changed since: it is asked to end. */
  readonly superseded?: true;
  /** Something asked for another sync while this one ran. */
  readonly again?: SyncTrigger;
}

export function newRegistryState(registry: RegistryRef): RegistryState {
  return { registry, stale: true, stores: {}, nextRun: 1, report: { digest: '', atMs: 0 } };
}

/** The store that the status speaks of: the one that opened last. */
export function currentStore(state: RegistryState): StoreState | undefined {
  return Object.values(state.stores).reduce<StoreState | undefined>(
    (latest, store) => (latest && latest.openedAtMs >= store.openedAtMs ? latest : store),
    undefined,
  );
}

/** Those that are there to be synced into. */
export function openStores(state: RegistryState): StoreState[] {
  return Object.values(state.stores).filter(({ lost }) => !lost);
}

export function mapStores(state: RegistryState, change: (store: StoreState) => StoreState): RegistryState {
  return {
    ...state,
    stores: Object.fromEntries(Object.entries(state.stores).map(([id, store]) => [id, change(store)])),
  };
}

export function mapSources(store: StoreState, change: (source: SourceState, name: string) => SourceState): StoreState {
  return {
    ...store,
    sources: Object.fromEntries(Object.entries(store.sources).map(([name, source]) => [name, change(source, name)])),
  };
}

export function mapSource(
  state: RegistryState,
  storeId: string,
  name: string,
  change: (source: SourceState) => SourceState,
): RegistryState {
  return mapStores(state, (store) =>
    store.store.id === storeId ? mapSources(store, (source, each) => (each === name ? change(source) : source)) : store,
  );
}

export function dropUndefined<T extends object>(value: { [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
