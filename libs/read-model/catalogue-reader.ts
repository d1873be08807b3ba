import type { Cursor, ListFilter } from './cursor.js';
import type { Findings } from './findings.js';

export interface ListQuery {
  readonly after?: Cursor['after'];
  readonly filter: ListFilter;
  /** Entries of one page, 1 to 1000. */
  readonly limit: number;
}

/** The parts of a body, to be sent one after the other. Shared memory: never written to. */
export type Body = readonly Buffer[];

/** JSON that is ready to be sent. Nothing is done for it before it is composed. */
export interface Answer {
  compose(): Composition;
}

/** A body that can be composed, with what it costs: nothing is allocated or fetched for it yet. */
export interface Composition {
  /** The number of entries on all pages of this list. */
  readonly total?: number;
  /** The last entry of this page, when there is another page. */
  readonly next?: Cursor['after'];
  /** The number of parts that the body will have. */
  readonly partCount: number;
  /** Bytes of the documents that have to be fetched from the database. */
  readonly fetchedBytes: number;
  /** Bytes of a body that is not made of the catalogue's own memory. */
  readonly ownBytes?: number;
  /** Composes the body; a promise only when documents have to be fetched. */
  body(): Body | Promise<Body>;
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
