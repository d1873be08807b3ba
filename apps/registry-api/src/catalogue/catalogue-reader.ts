import type { Cursor, ListFilter } from './cursor.js';

export interface ListQuery {
  readonly after?: Cursor['after'];
  readonly filter: ListFilter;
  /** Entries of one page, 1 to 1000. */
  readonly limit: number;
}

/** JSON that is ready to be sent. */
export interface Answer {
  /** An HTTP entity tag, quotes included; the same tag at the same URL means the same bytes. */
  readonly etag: string;
  /** The parts of the body, to be sent one after the other. Shared memory: never written to. */
  compose(): readonly Buffer[];
}

/** Answers from one list of servers: one source, or all sources of a registry. */
export interface CatalogueReader {
  list(query: ListQuery): Answer;
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
  /** What the caller may see of the registry; every source when absent. */
  readonly visibleSources?: ReadonlySet<string>;
}

/** Where controllers get their readers from; a class so that it can be injected. */
export abstract class Catalogue {
  /** Throws `CatalogueNotLoaded` or `UnknownSource`. */
  abstract reader(scope: CatalogueScope): CatalogueReader;
}

/** Nothing has been read from the database yet. */
export class CatalogueNotLoaded extends Error {
  constructor() {
    super('the catalogue is not loaded yet; try again in a moment');
    this.name = 'CatalogueNotLoaded';
  }
}

export class UnknownSource extends Error {
  constructor(source: string) {
    super(`no registry is called "${source}"`);
    this.name = 'UnknownSource';
  }
}
