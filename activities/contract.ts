import type { Notice } from '#domain/notice.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { RegistryFacts } from '#domain/status/registry-facts.js';
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
  /** The faults of an invalid spec; absent when it is valid. */
  readonly invalid?: string;
  /** Warnings about the spec; absent when there are none. */
  readonly notices?: readonly Notice[];
  /** Present where a server is run for the registry; absent where one exists already. */
  readonly provision?: ProvisionPlan;
}

/**
 * What an operator makes servers from: a digest of its settings. Of two operators, as during an upgrade, the one that started last
 * counts.
 */
export interface Site {
  readonly digest: string;
  readonly startedAtMs: number;
}

/** What a server for the registry is made from, as a workflow may know it. */
export interface ProvisionPlan {
  /** The site of the operator that made the plan; absent where it has none. */
  readonly site?: Site;
  /** Digest of everything that decides what is provisioned. */
  readonly digest: string;
  /** Whether a podTemplateSpec of the user takes part. */
  readonly podTemplate: boolean;
  /** Value of the sync-trigger annotation, which the server gets beside its configuration. */
  readonly triggerToken?: string;
}

/** Activities beside the workflows, on their own queue. */
export interface RegistryActivities {
  /** What the resource wants now; null when it is gone. */
  readDesiredState(registry: RegistryRef, site?: Site): Promise<DesiredState | null>;
  /** Writes the resource's status when it differs from what is there. */
  reportStatus(registry: RegistryRef, facts: RegistryFacts): Promise<void>;
  /** Removes what belongs to a resource under deletion, then its finalizer. */
  tearDown(registry: RegistryRef): Promise<void>;
}

/** Activities beside the workflows, where there is a cluster. */
export interface ProvisionActivities {
  /**
   * Makes the configuration, the account and its rights, the Secrets, the Deployment and the Service of the registry's server as the
   * spec wants them. It reads the resource again, stops when that is gone or another, writes nothing that is there already, and
   * adopts nothing. In a process with an older site than the one given it fails with `OtherRelease` and is tried again, until it
   * runs in the right process.
   */
  ensureServer(registry: RegistryRef, site?: Site): Promise<DeployedServer>;
  /** Who else writes the objects that were made for the registry; asked when they are changed again and again. */
  findContenders(registry: RegistryRef): Promise<readonly Notice[]>;
}

export interface DeployedServer {
  /** Hash of the pod template, which the pods carry as REGISTRY_POD_HASH. */
  readonly podHash: string;
  /** Warnings that do not prevent the deployment. */
  readonly warnings: readonly Notice[];
}

/** Activities beside the data, on the queue of a store. */
export interface SyncActivities {
  /** Makes the stored sources those of the spec, as of that generation or a later one. */
  adoptPlan(registry: RegistryRef, generation: number): Promise<void>;
  /** Marks the stored entries by the filter of the spec, if they were marked by another; null when they were not. */
  applyFilter(request: SyncRequest): Promise<EntryCounts | null>;
  /** Asks the source, as cheaply as it can answer, whether it holds anything that is not stored. */
  resolveRevision(request: SyncRequest): Promise<ResolvedRevision>;
  /**
   * Replaces the source's entries by what the source holds, in one transaction; on failure the old ones stay. The source is
   * asked again: `resolved` says only whether reading the changes is enough.
   */
  importRevision(request: SyncRequest, resolved: ResolvedRevision): Promise<ImportedRevision>;
  /** Records the outcome of a run for the API's history. */
  recordSyncRun(request: SyncRequest, outcome: SyncOutcome): Promise<void>;
}

export interface ImportedRevision {
  /** The name of the revision in the store: a source that is read page by page has none before. */
  readonly revision: string;
  /** Hash of the content that is stored now. */
  readonly contentHash: string;
  /** What was changed; absent when the content was stored already. */
  readonly counts?: EntryCounts;
  /** What is stored; present when nothing was written. */
  readonly stored?: StoredContent;
  /** The names of the first entries in quarantine, as far as they have any. */
  readonly quarantinedEntries?: readonly string[];
}

/** All activities, of whichever worker. */
export type Activities = RegistryActivities & ProvisionActivities & SyncActivities;

export type ActivityName = keyof Activities;
