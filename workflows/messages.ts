import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Site } from '#activities/contract.js';
import type { RegistryFacts } from '#domain/status/registry-facts.js';
import type { Reason } from '#domain/reasons.js';
import { STORE_DELAYED, STORE_OPENED, SYNC_NOW } from '#domain/server-messages.js';
import type { StartedSync, SyncNowRequest } from '#domain/server-messages.js';
import type { Store, SyncOutcome } from '#domain/sync.js';
import type { ServerTrouble, WorkloadFacts } from '#domain/workload.js';

/** The signal "look again". It contains what the watcher saw, but never the desired state. Idempotent. */
export interface Nudge {
  readonly generation: number;
  readonly triggerToken?: string;
  /** Whether provisioned objects have been changed or removed. */
  readonly drift?: boolean;
  /** The site of the operator that sends the nudge. Absent if servers are not provisioned. */
  readonly site?: Site;
}

export const desiredStateChanged = defineSignal<[Nudge]>('desiredStateChanged');

/** Sent when a store is available and its queue accepts tasks. */
export const storeOpened = defineSignal<[Store]>(STORE_OPENED);

/** Sent by a running server that has no store yet, with the reason, each time the reason changes. */
export const storeDelayed = defineSignal<[ServerTrouble<Reason>]>(STORE_DELAYED);

/** The state of the registry's Deployment, sent by a watcher each time it changes. */
export const workloadChanged = defineSignal<[WorkloadFacts]>('workloadChanged');

/**
 * Sent to a sync run to check whether it still exists. No response is needed, because a signal to a workflow that has
 * ended fails.
 */
export const stillRunning = defineSignal('stillRunning');

/** Sent by a sync to the current run of the registry's workflow. */
export const syncFinished = defineSignal<[SyncOutcome]>('syncFinished');

/** Starts a sync of the given source, or of all. Returns when the syncs have started, not when they have finished. */
export const syncNow = defineUpdate<readonly StartedSync[], [SyncNowRequest]>(SYNC_NOW);

/** The facts that the workflow knows. `toStatus` converts them to the status of the resource. */
export const status = defineQuery<RegistryFacts>('status');
