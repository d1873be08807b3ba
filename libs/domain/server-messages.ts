/** Names of the messages between the server of a registry and its workflow, for both sides. */
export const STORE_OPENED = 'storeOpened';
export const STORE_DELAYED = 'storeDelayed';
export const LIVE_STORES = 'liveStores';
export const SYNC_NOW = 'syncNow';

/** `source` absent: all of them. */
export interface SyncNowRequest {
  readonly source?: string;
}

export interface StartedSync {
  readonly source: string;
  readonly workflowId: string;
}
