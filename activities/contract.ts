import type { RegistryRef } from '#domain/registry-ref.js';
import type { RegistryFacts } from '#domain/conditions.js';
import type {
  EntryCounts,
  ResolvedRevision,
  SourcePlan,
  StoredContent,
  SyncOutcome,
  SyncRequest,
} from '#domain/sync.js';

/** What a resource wants, as references and hashes: neither spec nor data ever enters a history. */
export interface DesiredState {
  readonly generation: number;
  readonly deleting: boolean;
  /** Value of the sync-trigger annotation. */
  readonly triggerToken?: string;
  readonly sources: readonly SourcePlan[];
  /** Set when the spec cannot be followed; the message lists every fault. */
  readonly invalid?: string;
}

/** Run beside the workflows, on their own queue. */
export interface RegistryActivities {
  /** What the resource wants now; null when it is gone. */
  readDesiredState(registry: RegistryRef): Promise<DesiredState | null>;
  /** Writes the resource's status when it differs from what is there. */
  reportStatus(registry: RegistryRef, facts: RegistryFacts): Promise<void>;
  /** Removes what stands around a resource under deletion and lets the resource itself go. */
  tearDown(registry: RegistryRef): Promise<void>;
}

/** Run where the data is stored: on the queue of a store. */
export interface SyncActivities {
  /** Makes the stored sources those of the spec. */
  adoptPlan(registry: RegistryRef): Promise<void>;
  /** Marks the stored entries by the filter of the spec, if they were marked by another; null when they were not. */
  applyFilter(request: SyncRequest): Promise<EntryCounts | null>;
  /** Asks the source, as cheaply as it can answer, whether it holds anything that is not stored. */
  resolveRevision(request: SyncRequest): Promise<ResolvedRevision>;
  /** Fetches one revision and replaces the source's entries by it in one transaction; on failure the old ones stay. */
  importRevision(request: SyncRequest, resolved: ResolvedRevision): Promise<ImportedRevision>;
  /** Keeps what came of a run for the API's history. */
  recordSyncRun(request: SyncRequest, outcome: SyncOutcome): Promise<void>;
}

export interface ImportedRevision {
  /** As it is stored: a source that is read page by page knows it only then. */
  readonly revision: string;
  /** Of the content that is stored now. */
  readonly contentHash: string;
  /** Absent when that was stored already. */
  readonly counts?: EntryCounts;
  /** Present when it was. */
  readonly stored?: StoredContent;
  /** The first of those in quarantine, by what can be told of their names. */
  readonly quarantinedEntries?: readonly string[];
}
