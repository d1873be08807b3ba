import type { RegistryRef } from '#domain/registry-ref.js';
import type { FilterRule } from '#domain/source-filter.js';
import type { PublishedItem } from './copy-entries.js';

/** What a source's rows are replaced by. */
export interface Publication {
  readonly registry: RegistryRef;
  readonly source: string;
  /** Number of the sync run, which must not have been overtaken; absent for what no sync publishes. */
  readonly run?: number;
  /** Name that the source gives to the revision; absent when its content is its only name. */
  readonly revision?: string;
  /** Hash of the whole file; computed from the entries when absent. */
  readonly contentHash?: string;
  readonly specHash: string;
  readonly filterHash: string;
  /** Equal bytes would be read as the stored entries were: by the same format and version of the reader. */
  readonly readAlike: boolean;
  /** What is given is all there is; otherwise what changed, and the rest stays as it is. */
  readonly isWhole: boolean;
  /** The user has consented to what this revision removes, however much it is; undefined: to none. */
  readonly confirmedRevision?: string;
  readonly hiddenBy: FilterRule;
  /** How messages name the data; absent where `read` itself refuses data of which nothing can be served. */
  readonly dataLabel?: string;
  /** For the next look at a source that is read page by page. */
  readonly mark?: { readonly latestUpdate: string | null; readonly etag: string | null };
  /** The revision, some entries at a time; what `claimKnown` says to be stored already need not even be parsed. */
  read(claimKnown: (hash: string) => boolean): AsyncIterable<readonly PublishedItem[]>;
}
