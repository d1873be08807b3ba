import type { Cursor, ListFilter } from './cursor.js';

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
  /** Every version of a server, newest first; undefined when there is none. */
  versions(name: string, includeDeleted: boolean): Answer | undefined;
  /** One version, which may be `latest`. */
  version(name: string, version: string, includeDeleted: boolean): Answer | undefined;
}

export interface CatalogueScope {
  readonly namespace: string;
  readonly registry: string;
  /** All sources as one when absent. */
  readonly source?: string;
  /** These sources as one, in this order; the same array each time, so that what is merged can be kept. */
  readonly view?: readonly string[];
  /** What the caller may see of the registry; every source when absent. */
  readonly visibleSources?: ReadonlySet<string>;
  /** Names of the sources that the registry is to have by its spec. */
  readonly declaredSources?: readonly string[];
}

/** Where controllers get their readers from; a class so that it can be injected. */
export abstract class Catalogue {
  /** Throws `CatalogueNotLoaded`, `SourceNotSynced` or `UnknownSource`. */
  abstract reader(scope: CatalogueScope): CatalogueReader;
  /** As long as it is the same object, every scope has the same reader; undefined before there are any. */
  abstract readonly edition: object | undefined;
  /** Returns a number that rises with each change of any source of the registry, in decimal. */
  abstract revision(scope: CatalogueScope): string;
  /** Everything is as its source had it when that was last due; cheap to ask. */
  abstract readonly isFresh: boolean;
  /** Since when the sources may hold something else; undefined while all that this is made of is kept up. */
  abstract staleSince(scope: CatalogueScope): Date | undefined;
}

/** Nothing has been read from the database yet. */
export class CatalogueNotLoaded extends Error {
  constructor() {
    super('the catalogue is not loaded yet; try again in a moment');
    this.name = 'CatalogueNotLoaded';
  }
}

/** A list would have to contain a source whose content this store has never had: nobody knows what is missing from it. */
export class SourceNotSynced extends Error {
  constructor(source: string) {
    super(`source "${source}" was never synced into this store, so its servers are not known yet; try again later`);
    this.name = 'SourceNotSynced';
  }
}

export class UnknownSource extends Error {
  constructor(source: string) {
    super(`no registry is called "${source}"`);
    this.name = 'UnknownSource';
  }
}
