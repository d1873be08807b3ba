import type { SyncTrigger } from './sync.js';

/** The names of the messages between the server of a registry and its workflow, for both sides. */
export const STORE_OPENED = 'storeOpened';
export const STORE_DELAYED = 'storeDelayed';
export const SYNC_NOW = 'syncNow';

/** The key in the memo of a registry's workflow that holds the stores which it syncs into. */
export const STORES_MEMO = 'stores';

/** A request for a sync of one source or, without `source`, of all. */
export interface SyncNowRequest {
  readonly source?: string;
  /** `manual` by default; `change` when something was published here, `push` when a webhook was delivered. */
  readonly trigger?: Extract<SyncTrigger, 'manual' | 'change' | 'push'>;
}

export interface StartedSync {
  readonly source: string;
  readonly workflowId: string;
}

/** The workflow will not start the syncs that it was asked for; the message is its own words. */
export class SyncRefused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SyncRefused';
  }
}
