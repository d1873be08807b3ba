import type { Notice, NoticeReason } from './notice.js';
import type { Destiny } from './registry-error.js';
import type { Reason } from './reasons.js';
import type { RegistryRef } from './registry-ref.js';
import type { SourceFormat } from './source-format.js';

/** Why a sync was started. `initial`: never synced in this store; `start`: the store came back; `change`: spec or data reference edited; `push`: a webhook was delivered. */
export const SYNC_TRIGGERS = ['initial', 'start', 'interval', 'change', 'manual', 'push', 'retry'] as const;

export type SyncTrigger = (typeof SYNC_TRIGGERS)[number];

/** One source as who syncs it sees it: references and hashes, never the spec itself. */
export interface SourceOutline {
  readonly name: string;
  /** The block of the spec that it came from: `git`, `configMapRef`, … */
  readonly type: string;
  /** The origin of the data, for people; never with credentials. */
  readonly address: string;
  readonly format: SourceFormat;
  /** Absent: sync at start, on change and on a trigger only. */
  readonly intervalMs?: number;
  /** A notice about the plan itself, such as a raised interval. */
  readonly notice?: Notice;
  /** A hash of everything that decides what is fetched and how it is read. */
  readonly specHash: string;
  readonly filterHash: string;
  /** It is in no spec: worth a word only while there is something to say of it. */
  readonly builtIn?: true;
  /** An empty source is not worth a warning. */
  readonly mayBeEmpty?: true;
}

/** The same as the workflow plans it. */
export interface SourcePlan extends SourceOutline {
  /** A hash of the objects that the spec refers to (a ConfigMap's data, a Secret), as far as the watcher can see them. */
  readonly referenceHash: string;
}

/** A store: one database, and the task queue of the workers beside it. */
export interface Store {
  readonly id: string;
  readonly taskQueue: string;
  /** A worker of this store that is silent for so long has died: another one gets its task. Ten seconds when absent. */
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
  /** Mark what is stored by the filter of now, before anything else. */
  readonly refilter?: true;
  /** Value of the sync-trigger annotation as the workflow knows it: a server that reads an older one waits for this one. */
  readonly triggerToken?: string;
}

/** Reports whether a run applies the filter to what is stored before anything else: an edited one takes effect even if the source is unavailable. */
export function filtersFirst({ refilter, trigger }: Pick<SyncRequest, 'refilter' | 'trigger'>): boolean {
  return refilter === true || trigger === 'change';
}

/** The present content of a source. Equal revisions mean equal content. */
export interface ResolvedRevision {
  /** A git commit, a ConfigMap's content hash, … as people read it. */
  readonly revision: string;
  /** How messages name it: `registry.json at main@3f2c…`. */
  readonly label: string;
  /** It is enough to read what changed since the last sync; absent: everything is to be read. */
  readonly changesOnly?: true;
  /** Stored already, read with this very spec and filter: nothing to do. */
  readonly unchanged: boolean;
  /** The run has been recorded already, since there is nothing to add to it. */
  readonly isRecorded?: true;
  /** The stored content, when nothing has to be imported. */
  readonly stored?: StoredContent;
}

/** The stored state of a source according to the database: right even when a process died before it could report a publish. */
export interface StoredContent {
  readonly contentHash?: string;
  readonly served: number;
  readonly hidden: number;
  readonly quarantined: number;
}

/** How many entries a published revision holds and what publishing it changed. */
export interface EntryCounts {
  /** Stored and served. */
  readonly served: number;
  /** Stored, but left out by the filter. */
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
  /** A notice that is reported together with the failure. */
  readonly notice?: NoticeReason;
  /** The source asked to be left alone for so long. */
  readonly retryAfterMs?: number;
  /** The store has been opened by a run with this higher number since: this one may not publish any more. */
  readonly overtakenBy?: number;
}

/** The outcome of one sync run; small enough for a signal, and the same in history, database and status. */
export interface SyncOutcome {
  readonly source: string;
  readonly run: number;
  readonly storeId: string;
  /** The task queue that its activities were scheduled on. */
  readonly taskQueue?: string;
  readonly trigger: SyncTrigger;
  /** Milliseconds since 1970, by the workflow's clock. */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly revision?: string;
  /** Hash of the source's content as stored; with `revision`, absent when the sync failed before it knew. */
  readonly contentHash?: string;
  /** Counts after an edited filter was applied to the stored entries, although the sync failed. */
  readonly counts?: EntryCounts;
  /** Counts of a sync that found everything stored already. */
  readonly stored?: StoredContent;
  /** The first of those in quarantine, as far as they have names; absent when the quarantine is as it was. */
  readonly quarantinedEntries?: readonly string[];
  /** A notice of a successful run, such as "the filter leaves out every entry". */
  readonly notice?: Notice;
  readonly failure?: SyncFailure;
}
