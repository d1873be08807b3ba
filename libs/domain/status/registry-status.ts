import type { Notice, NoticeReason } from '../notice.js';
import type { Reason } from '../reasons.js';

/** `status.phase`, with the five values of the printer column. */
export type RegistryPhase = 'Pending' | 'Ready' | 'Syncing' | 'Failed' | 'Terminating';

export type SyncPhase = 'Syncing' | 'Complete' | 'Failed';

/**
 * An item of `status.syncStatus.sources[]`. Times are RFC 3339 in UTC. A failure never clears the results of the last
 * success.
 */
export interface SourceStatus {
  readonly name: string;
  /** Absent until the first attempt has started. */
  readonly phase?: SyncPhase;
  /**
   * Reason of its failure or of its first notice; otherwise `PartiallyValid` with entries in quarantine, or
   * `SyncComplete` without.
   */
  readonly reason: Reason | NoticeReason | PositiveReason;
  readonly message?: string;
  readonly lastAttempt?: string;
  /** Number of failed attempts since the last success. */
  readonly attemptCount: number;
  readonly lastSyncTime?: string;
  readonly lastSyncHash?: string;
  readonly serverCount?: number;
  readonly quarantined?: number;
  /** The source's own name for its content, such as a git commit or a content hash. */
  readonly revision?: string;
  readonly nextSyncTime?: string;
}

/** The aggregate over all sources, and each source. */
export interface SyncStatus extends Omit<
  SourceStatus,
  'name' | 'reason' | 'revision' | 'nextSyncTime' | 'quarantined'
> {
  readonly sources: readonly SourceStatus[];
}

/** The server of the registry. */
export interface ApiStatus {
  readonly phase: 'NotStarted' | 'Deploying' | 'Ready' | 'Unhealthy' | 'Error';
  readonly message: string;
  /** Present only while the server is ready. */
  readonly endpoint?: string;
  /** Time at which it last became ready, kept while it is not. */
  readonly readySince?: string;
}

/** The read-only servers of the registry. */
export interface ReadersStatus {
  readonly replicas: number;
  readonly readyReplicas: number;
  /** Label selector of their pods, in the form that the scale subresource passes to autoscalers. */
  readonly selector: string;
}

export interface Condition {
  readonly type: 'Ready' | 'APIReady' | 'SourceAvailable' | 'DataValid' | 'SyncSuccessful' | 'PodTemplateValid';
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason | PositiveReason;
  readonly message: string;
  readonly observedGeneration: number;
  /** Time of the last change of `status`. */
  readonly lastTransitionTime: string;
}

/** Reasons of conditions that are as wanted or not known yet. */
export type PositiveReason =
  | 'Ready'
  | 'NotReady'
  | 'Available'
  | 'Valid'
  | 'PartiallyValid'
  | 'SyncComplete'
  | 'Pending'
  | 'APIReady'
  | 'APINotReady'
  | 'ValidPodTemplateSpec';

/** `MCPRegistry.status`. */
export interface RegistryStatus {
  readonly phase: RegistryPhase;
  readonly message: string;
  readonly observedGeneration: number;
  readonly syncStatus?: SyncStatus;
  /** Hash of the filters of all sources as last applied. It changes when an edited filter has taken effect. */
  readonly lastAppliedFilterHash?: string;
  /** Has `url` and `readyReplicas` if a server runs for the registry. */
  readonly apiStatus?: ApiStatus;
  readonly url?: string;
  readonly readyReplicas?: number;
  /** Absent if there are no read-only servers. */
  readonly readers?: ReadersStatus;
  readonly lastManualSyncTrigger?: string;
  /** Notices that do not prevent anything. Each was also reported as an event. */
  readonly notices?: readonly Notice[];
  readonly conditions: readonly Condition[];
}
