import type { ApiItem } from './api/read-server-response.js';

/** One answer of a list, before anything in it is looked at. Plain data: it is handed to a thread. */
export interface RawPage {
  readonly body: Uint8Array;
  readonly contentType?: string;
  readonly etag?: string;
  /** URL of the page, as messages show it. */
  readonly url: string;
  /** Names the page in keys of entries without a name. */
  readonly place: string;
  /** The namespace of names without a slash. */
  readonly defaultNamespace?: string;
  /** Nothing comes before it: it is the whole list when nothing follows. */
  readonly isFirst: boolean;
}

/** What the walk must know of a page to go on. */
export interface PageOutline {
  /** How many, those in quarantine included. */
  readonly entries: number;
  /** Digest of the entries as they came, in this order: a page that comes again has the same digest. */
  readonly digest: string;
  /** What continues after this page; absent on the last one. */
  readonly nextCursor?: string;
}

export interface ApiPage extends PageOutline {
  /** In the order of the registry. */
  readonly items: readonly ApiItem[];
  /** The entity tag of a page that is the whole list: what `probe` can ask with. */
  readonly etag?: string;
  /** The latest `updatedAt` on this page, as `updatedSince` takes it. */
  readonly latestUpdate?: string;
}

export interface WalkOptions {
  /** The namespace of names without a slash. */
  readonly defaultNamespace?: string;
  /** `nextCursor` of the last page that was stored. */
  readonly cursor?: string;
  /** What is stored of the walk already; it counts towards the limits. */
  readonly stored?: { readonly pages: number; readonly entries: number; readonly bytes: number };
  /** RFC 3339: only entries that changed later, with `cursor` the same as before. A registry may ignore it and give all. */
  readonly updatedSince?: string;
}

/** What is known of the list as it was last stored. */
export interface KnownState {
  /** The `latestUpdate` of the whole list, exactly: an overlap would make every list look changed. */
  readonly updatedSince?: string;
  /** The `etag` of a page that was the whole list. */
  readonly etag?: string;
}

export interface Probe {
  /**
   * `unchanged` by an entity tag is certain. By `updated_since` it is as good as the registry: one that keeps no tombstones
   * does not tell of removals, hence a full walk now and then. `unknown`: only a full walk can tell.
   */
  readonly verdict: 'unchanged' | 'changed' | 'unknown';
  /** Why, for logs and histories. */
  readonly because: string;
}
