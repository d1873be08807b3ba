import type { ServerDocument } from '#domain/server-document.js';

/** What a format may see of an entry: a latest, undeleted version that the caller may read. */
export interface VisibleEntry {
  readonly server: ServerDocument;
  readonly status: 'active' | 'deprecated';
  /** Undefined where it would not be unique. */
  readonly shortName: string | undefined;
}
