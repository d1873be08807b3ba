import type { FilterRule } from '#domain/source-filter.js';
import type { PublishedItem } from './copy-entries.js';
import type { Consent } from './shrink-guard.js';
import type { SourceTarget } from './source-row.js';

/** The new content of a source, which replaces its rows. Its run must not have been overtaken by a later one. */
export interface Publication extends SourceTarget {
  /** The source's own name for the revision. Absent if it is identified only by its content. */
  readonly revision?: string;
  /** Hash of the whole file. If absent, it is computed from the entries. */
  readonly contentHash?: string;
  readonly specHash: string;
  readonly filterHash: string;
  /**
   * Whether the stored entries were read with the same format and version of the reader, so that equal bytes give equal
   * entries.
   */
  readonly readAlike: boolean;
  /**
   * Whether the given entries are the complete content of the source. Otherwise they are only the changes, and all
   * other entries stay as they are.
   */
  readonly isWhole: boolean;
  /** The removals that the user has agreed to. */
  readonly consent?: Consent;
  readonly hiddenBy: FilterRule;
  /** How messages refer to the data. Absent if `read` itself rejects data without servable entries. */
  readonly dataLabel?: string;
  /** The mark from which the next read of a source that is read page by page continues. */
  readonly mark?: { readonly latestUpdate: string | null; readonly etag: string | null };
  /**
   * Yields the revision in batches of entries. Entries that are already stored, according to `claimKnown`, do not have
   * to be parsed.
   */
  read(claimKnown: (hash: string) => boolean): AsyncIterable<readonly PublishedItem[]>;
}
