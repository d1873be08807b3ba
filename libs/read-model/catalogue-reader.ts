import type { Cursor, ListFilter } from './cursor.js';
import type { Findings } from './findings.js';
import type { Answer } from './answer.js';

export interface ListQuery {
  readonly after?: Cursor['after'];
  readonly filter: ListFilter;
  /** Maximum number of entries on a page, 1 to 1000. */
  readonly limit: number;
}

/** An immutable state of one list of servers, which covers one source or all sources of a registry. */
export interface CatalogueReader {
  /** Identifies this state. As long as the tag is the same, so are the responses to a request. */
  readonly tag: string;
  /** Time at which the content last changed. Undefined if there never was any content. */
  readonly changedAtMs: number | undefined;
  list(query: ListQuery): Answer;
  /** Returns the number of entries of a list with this filter. */
  count(filter: ListFilter): number;
  /** Yields the names of the entries of a list with this filter, in its order. */
  names(filter: ListFilter): Iterable<string>;
  /** Counts the entries of a list with this filter by the values of the other filter parameters. */
  facets(filter: ListFilter): Answer;
  /**
   * Finds servers that have an identifier of Agentic Resource Discovery, pass a filter and, if a text is given, match
   * it. Returns their latest versions.
   */
  find(filter: ListFilter, text?: string): Findings;
  /** Returns all versions of a server, newest first, or undefined if there are none. */
  versions(name: string, includeDeleted: boolean): Answer | undefined;
  /** Returns one version of a server. `version` may be `latest`. */
  version(name: string, version: string, includeDeleted: boolean): Answer | undefined;
}
