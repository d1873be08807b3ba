import type { Notice, NoticeReason } from '../notice.js';
import type { Reason } from '../reasons.js';

/** `status.phase`, the five words of the printer column. */
export type RegistryPhase = 'Pending' | 'Ready' | 'Syncing' | 'Failed' | 'Terminating';

export type SyncPhase = 'Syncing' | 'Complete' | 'Failed';

/** One of `status.syncStatus.sources[]`. Times are RFC 3339 in UTC. A failure never clears what the last success left. */
export interface SourceStatus {
  readonly name: string;
  /** Absent until the first attempt has begun. */
  readonly phase?: SyncPhase;
  /** That of its failure or of its first notice; `PartiallyValid` with entries in quarantine, `SyncComplete` without. */
  readonly reason: Reason | NoticeReason | PositiveReason;
  readonly message?: string;
  readonly lastAttempt?: string;
  /** Failed attempts since the last success. */
  readonly attemptCount: number;
  readonly lastSyncTime?: string;
  readonly lastSyncHash?: string;
  readonly serverCount?: number;
  readonly quarantined?: number;
  /** A git commit, a content hash: as the source names what it holds. */
  readonly revision?: string;
  readonly nextSyncTime?: string;
}

/** The roll-up over all sources, and each of them. */
export interface SyncStatus extends Omit<
  SourceStatus,
  'name' | 'reason' | 'revision' | 'nextSyncTime' | 'quarantined'
> {
  readonly sources: readonly SourceStatus[];
}

/** The server that answers for the registry. */
export interface ApiStatus {
  readonly phase: 'NotStarted' | 'Deploying' | 'Ready' | 'Unhealthy' | 'Error';
  readonly message: string;
  /** Only while it is ready. */
  readonly endpoint?: string;
  /** The time when it last became ready; kept while it is not. */
  readonly readySince?: string;
}

/** The read-only servers of the registry. */
export interface ReadersStatus {
  readonly replicas: number;
  readonly readyReplicas: number;
  /** Label selector of their pods, as the scale subresource hands it to autoscalers. */
  readonly selector: string;
}

export interface Condition {
  readonly type: 'Ready' | 'APIReady' | 'SourceAvailable' | 'DataValid' | 'SyncSuccessful' | 'PodTemplateValid';
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason | PositiveReason;
  readonly message: string;
  readonly observedGeneration: number;
  /** The time when `status` last changed. */
  readonly lastTransitionTime: string;
}

/** Reasons of conditions that are as wanted, or not known yet. */
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
  /** The hash of all sources' filters as they were last applied; it changes when an edited filter has taken effect. */
  readonly lastAppliedFilterHash?: string;
  /** With `url` and `readyReplicas`: where a server is run for the registry. */
  readonly apiStatus?: ApiStatus;
  readonly url?: string;
  readonly readyReplicas?: number;
  /** Absent while there are none. */
  readonly readers?: ReadersStatus;
  readonly lastManualSyncTrigger?: string;
  /** Notices that do not prevent anything; each was reported as an event. */
  readonly notices?: readonly Notice[];
  readonly conditions: readonly Condition[];
}
