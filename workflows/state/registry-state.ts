import type { DesiredState, Site } from '#activities/contract.js';
import type { Notice } from '#domain/notice.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { Store, SyncFailure, SyncTrigger } from '#domain/sync.js';
import type { ProvisioningState } from './provisioning.js';

/**
 * The complete state of the life of one MCPRegistry. Decisions about it are pure functions from state to state. It is
 * preserved across continue-as-new, so it contains only references, hashes and counts, and absolute times in
 * milliseconds.
 */
export interface RegistryState {
  readonly registry: RegistryRef;
  /** Whether the resource must be read again. */
  readonly stale: boolean;
  /**
   * Time at which the resource is read again after a failure, unless a message reports earlier that it may have
   * changed.
   */
  readonly retryReadAtMs?: number;
  /** Number of failed attempts to read the resource since the last success. */
  readonly failedReads?: number;
  readonly desired?: DesiredState;
  /** Set if the resource no longer exists, so that nothing is left to do. */
  readonly gone?: true;
  /** Value of the sync-trigger annotation that was last handled. The same value is ignored the next time. */
  readonly handledTrigger?: string;
  readonly stores: Readonly<Record<string, StoreState>>;
  /** Number of the next sync run. A number is never reused during the life of a registry. */
  readonly nextRun: number;
  /** Runs of sources that were removed from the spec. They are cancelled. */
  readonly abandoned?: readonly { readonly source: string; readonly run: number }[];
  readonly report: ReportState;
  /** Present if a server is provisioned for the registry. */
  readonly provisioning?: ProvisioningState;
  /** The site of the newest operator. An operator with an older site must not provision. */
  readonly site?: Site;
}

/** Maximum number of stores that a registry is synced into. Beyond that, the store that opened first is forgotten. */
export const MOST_STORES = 32;

export interface ReportState {
  /** Digest of the last written facts. */
  readonly digest: string;
  readonly atMs: number;
  /** Number of failed attempts since the last success. */
  readonly failures?: number;
  /** The last generation that was reported as ready. */
  readonly readyGeneration?: number;
}

export interface StoreState {
  readonly store: Store;
  readonly openedAtMs: number;
  /** Set if the store did not accept a task. Nothing is synced into it until it announces itself again. */
  readonly lost?: true;
  /** The plan that the store has adopted. It must have adopted the current one before anything is synced into it. */
  readonly adoptedPlan?: string;
  /** Whether the store is being given the plan now. Never true across continue-as-new. */
  readonly adopting?: boolean;
  readonly retryAdoptionAtMs?: number;
  /** The last failure to give the plan to the store. Nothing is synced into the store until it has the plan. */
  readonly adoptionFailure?: SyncFailure;
  /** Time at which the store was found to have lost the plan. */
  readonly planLostAtMs?: number;
  readonly sources: Readonly<Record<string, SourceState>>;
}

export interface SourceState {
  /** Hashes of the plan at the time when the source last became due because of a change. */
  readonly planned: string;
  readonly due?: { readonly atMs: number; readonly trigger: SyncTrigger };
  readonly running?: RunningSync;
  /** Number of the run that was started last, finished or not. */
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
    /** Hash of the filter that was last applied to the stored entries. */
    readonly filterHash?: string;
  };
  readonly failure?: SyncFailure;
}

export interface RunningSync {
  readonly run: number;
  readonly trigger: SyncTrigger;
  readonly startedAtMs: number;
  /**
   * The values of the last attempt that the status shows until the run has ended. Present in a scheduled run of a
   * source that was synced before.
   */
  readonly quiet?: { readonly lastAttemptAtMs?: number; readonly dueAtMs: number };
  /** Hash of the filter in the plan with which the run was started. */
  readonly filterHash?: string;
  /** Time after which a run that has not reported counts as failed. */
  readonly deadlineMs: number;
  /** Set if the plan has changed since the run was started, so that the run is cancelled. */
  readonly superseded?: true;
  /** The trigger of another sync that was requested during this run. */
  readonly again?: SyncTrigger;
}

export function newRegistryState(registry: RegistryRef): RegistryState {
  return { registry, stale: true, stores: {}, nextRun: 1, report: { digest: '', atMs: 0 } };
}

/** Returns the store that the status describes, which is the one that was opened last. */
export function currentStore(state: RegistryState): StoreState | undefined {
  return Object.values(state.stores).reduce<StoreState | undefined>(
    (latest, store) => (latest && latest.openedAtMs >= store.openedAtMs ? latest : store),
    undefined,
  );
}

/** Returns the stores that accept syncs. */
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
