import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Site } from '#activities/contract.js';
import type { RegistryFacts } from '#domain/status/registry-facts.js';
import type { Reason } from '#domain/reasons.js';
import { STORE_DELAYED, STORE_OPENED, SYNC_NOW } from '#domain/server-messages.js';
import type { StartedSync, SyncNowRequest } from '#domain/server-messages.js';
import type { Store, SyncOutcome } from '#domain/sync.js';
import type { ServerTrouble, WorkloadFacts } from '#domain/workload.js';

/** "Look again": says what the watcher saw, never what is wanted. Twice the same changes nothing. */
export interface Nudge {
  readonly generation: number;
  readonly triggerToken?: string;
  /** What was provisioned has been changed or removed. */
  readonly drift?: boolean;
  /** The site of the operator that says so; absent where servers are not provisioned. */
  readonly site?: Site;
}

export const desiredStateChanged = defineSignal<[Nudge]>('desiredStateChanged');

/** A place to store and serve data is up and takes tasks from its queue. */
export const storeOpened = defineSignal<[Store]>(STORE_OPENED);

/** A server that runs but has no store to announce yet says why, each time the reason changes. */
export const storeDelayed = defineSignal<[ServerTrouble<Reason>]>(STORE_DELAYED);

/** What a watcher sees of the registry's Deployment, each time that changes. */
export const workloadChanged = defineSignal<[WorkloadFacts]>('workloadChanged');

/** Sent by a sync run to the registry's workflow, whichever run of it is current. */
export const syncFinished = defineSignal<[SyncOutcome]>('syncFinished');

/** Starts a sync of the named source, or of all; answers once the syncs are started, not when they are done. */
export const syncNow = defineUpdate<readonly StartedSync[], [SyncNowRequest]>(SYNC_NOW);

/** What the workflow knows; `toStatus` turns it into the resource's status. */
export const status = defineQuery<RegistryFacts>('status');
