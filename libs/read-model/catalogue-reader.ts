import type { Cursor, ListFilter } from './cursor.js';
import type { Findings } from './findings.js';
import type { Answer } from './answer.js';

export interface ListQuery {
  readonly after?: Cursor['after'];
  readonly filter: ListFilter;
  /** Entries of one page, 1 to 1000. */
  readonly limit: number;
}

/** One list of servers: one source, or all sources of a registry. An immutable state of it. */
export interface CatalogueReader {
  /** Names this state: what is answered to one request is the same as long as the tag is. */
  readonly tag: string;
  /** When its content last changed; undefined for nothing at all. */
  readonly changedAtMs: number | undefined;
  list(query: ListQuery): Answer;
  /** How many entries a list with this filter has. */
  count(filter: ListFilter): number;
  /** The names of the entries that a list with this filter has, one by one in its order. */
  names(filter: ListFilter): Iterable<string>;
  /** Counts the entries that a list with this filter has, by what else they could be filtered by. */
  facets(filter: ListFilter): Answer;
  /**
   * Finds the latest versions of the servers that have an identifier of Agentic Resource Discovery, that pass a filter, and,
   * with a text, that fit it.
   */
  find(filter: ListFilter, text?: string): Findings;
  /** Every version of a server, newest first; undefined when there is none. */
  versions(name: string, includeDeleted: boolean): Answer | undefined;
  /** One version, which may be `latest`. */
  version(name: string, version: string, includeDeleted: boolean): Answer | undefined;
}
