import type { Notice, NoticeReason } from './notice.js';
import type { Destiny } from './registry-error.js';
import type { Reason } from './reasons.js';
import type { RegistryRef } from './registry-ref.js';
import type { SourceFormat } from './source-format.js';

/**
 * Why a sync was started. `initial`: never synced in this store; `start`: the store is available again; `change`: the
 * spec or referenced data was edited; `push`: a webhook was delivered.
 */
export const SYNC_TRIGGERS = ['initial', 'start', 'interval', 'change', 'manual', 'push', 'retry'] as const;

export type SyncTrigger = (typeof SYNC_TRIGGERS)[number];

/** A source for the process that syncs it: references and hashes, never the spec itself. */
export interface SourceOutline {
  readonly name: string;
  /** Its block in the spec: `git`, `configMapRef`, … */
  readonly type: string;
  /** Origin of the data, for people; never with credentials. */
  readonly address: string;
  readonly format: SourceFormat;
  /** Interval; if absent, the source is synced only at the start, on changes and on triggers. */
  readonly intervalMs?: number;
  /** A notice about the plan itself, such as a raised interval. */
  readonly notice?: Notice;
  /** Hash of everything that decides what is fetched and how it is parsed. */
  readonly specHash: string;
  readonly filterHash: string;
  /** Whether it is the built-in source, which is in no spec and is reported only if there is something to report. */
  readonly builtIn?: true;
  /** Whether the source may be empty without a warning. */
  readonly mayBeEmpty?: true;
}

/** A source as planned by the workflow. */
export interface SourcePlan extends SourceOutline {
  /** Hash of the objects that the spec refers to (a ConfigMap's data, a Secret), as far as the watcher can see them. */
  readonly referenceHash: string;
}

/** A store: one database, and the task queue of its workers. */
export interface Store {
  readonly id: string;
  readonly taskQueue: string;
  /**
   * Time without a heartbeat after which a worker of this store counts as dead, so that another one gets its task. Ten
   * seconds when absent.
   */
  readonly heartbeatTimeoutMs?: number;
}

export interface SyncRequest {
  readonly registry: RegistryRef;
  readonly source: string;
  readonly address: string;
  readonly run: number;
  readonly trigger: SyncTrigger;
  readonly store: Store;
  readonly mayBeEmpty?: true;
  /** Whether to apply the current filter to the stored entries before anything else. */
  readonly refilter?: true;
  /**
   * Value of the sync-trigger annotation known to the workflow. A server that reads an older value waits for this one.
   */
  readonly triggerToken?: string;
}

/**
 * Reports whether a run applies the filter to the stored entries before anything else, so that an edited filter takes
 * effect even if the source is unavailable.
 */
export function filtersFirst({ refilter, trigger }: Pick<SyncRequest, 'refilter' | 'trigger'>): boolean {
  return refilter === true || trigger === 'change';
}

/** The current content of a source. Equal revisions mean equal content. */
export interface ResolvedRevision {
  /** A git commit, a ConfigMap's content hash, …, for people. */
  readonly revision: string;
  /** Name in messages, such as `registry.json at main@3f2c…`. */
  readonly label: string;
  /** Whether reading the changes since the last sync is enough; if absent, everything has to be read. */
  readonly changesOnly?: true;
  /** Whether the content is already stored with the same spec and filter, so that there is nothing to do. Then the run has been recorded. */
  readonly unchanged: boolean;
  /** The stored content, if nothing has to be imported. */
  readonly stored?: StoredContent;
}

/**
 * The stored state of a source according to the database. Correct even if a process died before it could report a
 * publication.
 */
export interface StoredContent {
  readonly contentHash?: string;
  readonly served: number;
  readonly hidden: number;
  readonly quarantined: number;
}

/** Peculiarities of the entries that a sync has read, without those that it skipped as known. */
export interface ReadingCounts {
  /** Number of optional fields that were null and were dropped. */
  readonly nullsDropped: number;
  /** Number of entries with a default version because their source gives them none. */
  readonly versionsAssumed: number;
}

/**
 * The number of entries in a published revision, and what its publication changed. The counts of the reading are absent
 * if they are zero.
 */
export interface EntryCounts extends Partial<ReadingCounts> {
  /** Stored and served entries. */
  readonly served: number;
  /** Stored entries that the filter hides. */
  readonly hidden: number;
  readonly quarantined: number;
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
  readonly unchanged: number;
}

export interface SyncFailure {
  readonly reason: Reason;
  readonly message: string;
  readonly destiny: Destiny;
  /** Reason of a notice that is reported together with the failure. */
  readonly notice?: NoticeReason;
  /** Pause that the source requested by Retry-After. */
  readonly retryAfterMs?: number;
  /** Number of a later run that has opened the store, so that this run may not publish any more. */
  readonly overtakenBy?: number;
}

/** The outcome of one sync run. Small enough for a signal, and identical in history, database and status. */
export interface SyncOutcome {
  readonly source: string;
  readonly run: number;
  readonly storeId: string;
  /** Task queue of its activities. */
  readonly taskQueue?: string;
  readonly trigger: SyncTrigger;
  /** Milliseconds since 1970, by the workflow's clock. */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly revision?: string;
  /** Hash of the stored content. Like `revision`, absent if the sync failed before it was known. */
  readonly contentHash?: string;
  /** Counts of the changes. Present even after a failed sync if an edited filter was applied to the stored entries. */
  readonly counts?: EntryCounts;
  /** Counts of a sync that found everything already stored. */
  readonly stored?: StoredContent;
  /**
   * Names of the first quarantined entries, omitting entries without a name. Absent if the quarantine has not changed.
   */
  readonly quarantinedEntries?: readonly string[];
  /** A notice of a successful run, such as "the filter leaves out every entry". */
  readonly notice?: Notice;
  readonly failure?: SyncFailure;
}
