import type { ServerDocument } from '#domain/server-document.js';

/**
 * The part of an entry that a format may use. The entry is the latest, undeleted version of a server that the caller
 * may read.
 */
export interface VisibleEntry {
  readonly server: ServerDocument;
  readonly status: 'active' | 'deprecated';
  /** Undefined if the short name would not be unique. */
  readonly shortName: string | undefined;
}
