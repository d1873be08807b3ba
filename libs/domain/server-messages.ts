import type { SyncTrigger } from './sync.js';

/** Names of the messages between the server of a registry and its workflow, shared by both sides. */
export const STORE_OPENED = 'storeOpened';
export const STORE_DELAYED = 'storeDelayed';
export const SYNC_NOW = 'syncNow';

/** Key in the memo of a registry's workflow that lists the stores which the workflow syncs into. */
export const STORES_MEMO = 'stores';

/** A request to sync one source or, without `source`, all of them. */
export interface SyncNowRequest {
  readonly source?: string;
  /** `manual` by default; `change` after something was published here, `push` after a webhook delivery. */
  readonly trigger?: Extract<SyncTrigger, 'manual' | 'change' | 'push'>;
}

export interface StartedSync {
  readonly source: string;
  readonly workflowId: string;
}

/** Thrown if the workflow refuses to start the requested syncs, with the message of the workflow. */
export class SyncRefused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SyncRefused';
  }
}
