import type { DesiredState, Site } from '#activities/contract.js';
import type { Notice } from '#domain/notice.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { Store, SyncFailure, SyncTrigger } from '#domain/sync.js';
import type { ProvisioningState } from './provisioning.js';

/**
 * Everything that the life of one MCPRegistry remembers; the decisions over it are pure functions from state to state. It is
 * carried across continue-as-new, so it holds references, hashes and counts only, and absolute times in milliseconds.
 */
export interface RegistryState {
  readonly registry: RegistryRef;
  /** The resource must be read again. */
  readonly stale: boolean;
  /** The resource could not be read: it is read at this time, or as soon as a message says that it may have changed. */
  readonly retryReadAtMs?: number;
  /** Failed attempts to read the resource since the last success. */
  readonly failedReads?: number;
  readonly desired?: DesiredState;
  /** The resource is gone: nothing is left to do. */
  readonly gone?: true;
  /** Value of the sync-trigger annotation that was acted upon last; the same value again is ignored. */
  readonly handledTrigger?: string;
  readonly stores: Readonly<Record<string, StoreState>>;
  /** Number of the next sync run; never used twice in the life of a registry. */
  readonly nextRun: number;
  /** Runs of sources that have left the spec: they are cancelled. */
  readonly abandoned?: readonly { readonly source: string; readonly run: number }[];
  readonly report: ReportState;
  /** Present where a server is run for the registry. */
  readonly provisioning?: ProvisioningState;
  /** What the newest operator makes servers from; an operator with an older site must not provision. */
  readonly site?: Site;
}

export interface ReportState {
  /** Digest of the facts that were written last. */
  readonly digest: string;
  readonly atMs: number;
  /** Failed attempts since the last success. */
  readonly failures?: number;
}

export interface StoreState {
  readonly store: Store;
  readonly openedAtMs: number;
  /** The store took no task: nothing is synced into it until it announces itself again. */
  readonly lost?: true;
  /** The plan that the store has adopted; it must know the current one before anything is synced into it. */
  readonly adoptedPlan?: string;
  /** The store is being told of the plan at this moment; never true across continue-as-new. */
  readonly adopting?: boolean;
  readonly retryAdoptionAtMs?: number;
  /** Why the store could not be told of the plan; meanwhile nothing is synced into it. */
  readonly adoptionFailure?: SyncFailure;
  /** When the store was found to have lost the plan. */
  readonly planLostAtMs?: number;
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
    /** Hash of the filter that the stored entries are marked by. */
    readonly filterHash?: string;
  };
  readonly failure?: SyncFailure;
}

export interface RunningSync {
  readonly run: number;
  readonly trigger: SyncTrigger;
  readonly startedAtMs: number;
  /** Present in a regular run of a source that was synced before: what the status goes on to say until the run has ended. */
  readonly quiet?: { readonly lastAttemptAtMs?: number; readonly dueAtMs: number };
  /** Hash of the filter in the plan that the run was started with. */
  readonly filterHash?: string;
  /** A run that has not reported by then counts as failed. */
  readonly deadlineMs: number;
  /** The plan has changed since: the run is cancelled. */
  readonly superseded?: true;
  /** The trigger of another sync that was asked for while this one ran. */
  readonly again?: SyncTrigger;
}

export function newRegistryState(registry: RegistryRef): RegistryState {
  return { registry, stale: true, stores: {}, nextRun: 1, report: { digest: '', atMs: 0 } };
}

/** Returns the store that the status speaks of: the one that opened last. */
export function currentStore(state: RegistryState): StoreState | undefined {
  return Object.values(state.stores).reduce<StoreState | undefined>(
    (latest, store) => (latest && latest.openedAtMs >= store.openedAtMs ? latest : store),
    undefined,
  );
}

/** Returns the stores that can be synced into. */
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

export function mapStore(
  state: RegistryState,
  storeId: string,
  change: (store: StoreState) => StoreState,
): RegistryState {
  return mapStores(state, (store) => (store.store.id === storeId ? change(store) : store));
}

export function mapSource(
  state: RegistryState,
  storeId: string,
  name: string,
  change: (source: SourceState) => SourceState,
): RegistryState {
  return mapStore(state, storeId, (store) =>
    mapSources(store, (source, each) => (each === name ? change(source) : source)),
  );
}

export function dropUndefined<T extends object>(value: { [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
