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

/** The desired state of a resource, as references and hashes: neither spec nor data may enter a workflow history. */
export interface DesiredState {
  readonly generation: number;
  readonly deleting: boolean;
  /** Value of the sync-trigger annotation. */
  readonly triggerToken?: string;
  readonly sources: readonly SourcePlan[];
  /** The errors of an invalid spec; absent when the spec is valid. */
  readonly invalid?: string;
  /** Warnings about the spec; absent when there are none. */
  readonly notices?: readonly Notice[];
  /** Present if a server is to be run for the registry; absent if a server exists already. */
  readonly provision?: ProvisionPlan;
}

/**
 * Identifies an operator by a digest of its settings, from which it creates servers. If two operators run, as during an
 * upgrade, the one that started last decides.
 */
export interface Site {
  readonly digest: string;
  readonly startedAtMs: number;
}

/** The part of the blueprint of a server that a workflow may know. */
export interface ProvisionPlan {
  /** The site of the operator that made the plan; absent if the operator has none. */
  readonly site?: Site;
  /** Digest of everything that decides what is provisioned. */
  readonly digest: string;
  /** Whether the user has set a podTemplateSpec. */
  readonly podTemplate: boolean;
  /** Value of the sync-trigger annotation, which the server receives together with its configuration. */
  readonly triggerToken?: string;
}

/** Activities that run in the worker of the workflows, on the same task queue. */
export interface RegistryActivities {
  /** Returns the desired state of the resource; null if the resource is gone. */
  readDesiredState(registry: RegistryRef, site?: Site): Promise<DesiredState | null>;
  /** Writes the status of the resource if it differs from the current one. */
  reportStatus(registry: RegistryRef, facts: RegistryFacts): Promise<void>;
  /** Removes the objects that belong to a resource that is being deleted, then its finalizer. */
  tearDown(registry: RegistryRef): Promise<void>;
}

/** Additional activities of the worker that runs the workflows, available only in a cluster. */
export interface ProvisionActivities {
  /**
   * Creates or repairs the objects of the registry's server to match the spec: configuration, account with its rights,
   * Secrets, Deployment and Service. Reads the resource again, stops if the resource is gone or has been replaced by
   * another, skips objects that are up to date, and adopts no existing objects. In a process with a site older than the
   * given one it fails with `OtherRelease` and is retried until it runs in the right process.
   */
  ensureServer(registry: RegistryRef, site?: Site): Promise<DeployedServer>;
  /**
   * Finds the other writers of the objects that were created for the registry. Called when these objects are changed
   * again and again.
   */
  findContenders(registry: RegistryRef): Promise<readonly Notice[]>;
}

export interface DeployedServer {
  /** Hash of the pod template, which the pods have in the variable REGISTRY_POD_HASH. */
  readonly podHash: string;
  /** Warnings that do not prevent the deployment. */
  readonly warnings: readonly Notice[];
}

/** Activities that run next to the data, on the task queue of a store. */
export interface SyncActivities {
  /** Makes the stored sources match the spec of that generation or a later one. */
  adoptPlan(registry: RegistryRef, generation: number): Promise<void>;
  /** Marks the stored entries by the filter of the spec if another filter has marked them; returns null otherwise. */
  applyFilter(request: SyncRequest): Promise<EntryCounts | null>;
  /** Asks the source, by the cheapest means that it offers, whether it has anything that is not stored yet. */
  resolveRevision(request: SyncRequest): Promise<ResolvedRevision>;
  /**
   * Replaces the entries of the source by its current content, in one transaction; on failure the old entries stay. The
   * source is read again: `resolved` tells only whether reading the changes is enough.
   */
  importRevision(request: SyncRequest, resolved: ResolvedRevision): Promise<ImportedRevision>;
  /** Records the outcome of a run for the API's history. */
  recordSyncRun(request: SyncRequest, outcome: SyncOutcome): Promise<void>;
}

export interface ImportedRevision {
  /** Name of the revision in the store. For a source that is read page by page, it is known only after the import. */
  readonly revision: string;
  /** Hash of the content that is now stored. */
  readonly contentHash: string;
  /** Counts of the changed entries; absent when the content was stored already. */
  readonly counts?: EntryCounts;
  /** The stored content; present when nothing was written. */
  readonly stored?: StoredContent;
  /** The names of the first entries in quarantine, omitting entries that have no name. */
  readonly quarantinedEntries?: readonly string[];
}

/** All activities of all workers. */
export type Activities = RegistryActivities & ProvisionActivities & SyncActivities;

export type ActivityName = keyof Activities;
