import type { ApiItem } from './api/read-server-response.js';

/**
 * One response of a list, before any of it has been examined. It is plain data, so that it can be passed to a thread.
 */
export interface RawPage {
  readonly body: Uint8Array;
  readonly contentType?: string;
  readonly etag?: string;
  /** URL of the page as messages show it. */
  readonly url: string;
  /** Identifies the page. Part of the key of an entry that has no name. */
  readonly place: string;
  /** The namespace that is added to names without a slash. */
  readonly defaultNamespace?: string;
  /** Whether this is the first page. It is the whole list if no other page follows. */
  readonly isFirst: boolean;
}

/** The part of a page that the walk needs in order to continue. */
export interface PageOutline {
  /** Number of entries, including quarantined ones. */
  readonly entries: number;
  /** Digest of the entries in their original form and order. A page that is sent again has the same digest. */
  readonly digest: string;
  /** The cursor of the next page. Absent on the last page. */
  readonly nextCursor?: string;
}

export interface ApiPage extends PageOutline {
  /** The items in the order of the registry. */
  readonly items: readonly ApiItem[];
  /** The entity tag, if the page is the whole list. `probe` can use it in its request. */
  readonly etag?: string;
  /** The latest `updatedAt` on this page, in the format of `updatedSince`. */
  readonly latestUpdate?: string;
}

export interface WalkOptions {
  /** The namespace that is added to names without a slash. */
  readonly defaultNamespace?: string;
  /** `nextCursor` of the last stored page. */
  readonly cursor?: string;
  /** The part of the walk that is already stored. It counts towards the limits. */
  readonly stored?: { readonly pages: number; readonly entries: number; readonly bytes: number };
  /**
   * Time in RFC 3339: only entries that changed later are requested. With `cursor`, it must be the same as before. A
   * registry may ignore it and return all entries.
   */
  readonly updatedSince?: string;
}

/** What is known about the list as it was last stored. */
export interface KnownState {
  /** The exact `latestUpdate` of the whole list. With an overlap, every list would seem to have changed. */
  readonly updatedSince?: string;
  /** The `etag` of a page that was the whole list. */
  readonly etag?: string;
}

export interface Probe {
  /**
   * `unchanged` is certain if based on an entity tag. If based on `updated_since`, it is only as reliable as the
   * registry: one without tombstones does not report removals, so there is a full walk from time to time. `unknown`:
   * only a full walk can tell.
   */
  readonly verdict: 'unchanged' | 'changed' | 'unknown';
  /** The reason for the verdict, for logs and workflow histories. */
  readonly because: string;
}
