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
  /** Set when the spec cannot be followed; the message lists every fault. */
  readonly invalid?: string;
  /** What it says without effect. Absent: nothing. */
  readonly notices?: readonly Notice[];
  /** Present where a server is to be run for the registry; absent where one stands already. */
  readonly provision?: ProvisionPlan;
}

/** What a server for the registry is made from, as a workflow may know it. */
export interface ProvisionPlan {
  /** Of everything that decides what is provisioned. */
  readonly digest: string;
  /** Whether a podTemplateSpec of the user takes part. */
  readonly podTemplate: boolean;
  /** Value of the sync-trigger annotation, which the server is told beside its configuration. */
  readonly triggerToken?: string;
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

/**
 * Run beside the workflows, where there is a cluster. Each reads the resource again, stops when it is gone or another, and
 * makes what it is named for as the spec wants it; it writes nothing that stands there already and adopts nothing.
 */
export interface ProvisionActivities {
  /** The server's configuration. */
  ensureConfig(registry: RegistryRef): Promise<void>;
  /** The server's service account, and what it may do. */
  ensureAccess(registry: RegistryRef): Promise<void>;
  /** The Secrets that the operator makes: how to reach the database and Temporal. */
  ensureSecrets(registry: RegistryRef): Promise<void>;
  ensureDeployment(registry: RegistryRef): Promise<DeployedServer>;
  ensureService(registry: RegistryRef): Promise<void>;
}

export interface DeployedServer {
  /** Of the pod template; what the pods carry as REGISTRY_POD_HASH. */
  readonly podHash: string;
  /** What the user should know of it although it was followed. */
  readonly warnings: readonly Notice[];
}

/** Run where the data is stored: on the queue of a store. */
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

/** All activities, of whichever worker. */
export type Activities = RegistryActivities & ProvisionActivities & SyncActivities;

export type ActivityName = keyof Activities;
