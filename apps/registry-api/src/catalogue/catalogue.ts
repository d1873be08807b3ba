import type { CatalogueReader } from '#read-model/catalogue-reader.js';

export interface CatalogueScope {
  readonly namespace: string;
  readonly registry: string;
  /** Name of the source. If absent, all sources are merged. */
  readonly source?: string;
  /**
   * The sources of the view, in order of precedence. Always the same array object, so that the merged layout can be
   * cached.
   */
  readonly view?: readonly string[];
  /** The sources of the registry that the caller may see. Default: all. */
  readonly visibleSources?: ReadonlySet<string>;
  /** Names of the sources in the spec of the registry. */
  readonly declaredSources?: readonly string[];
}

/** Provides controllers with readers. An abstract class, so that it can be injected. */
export abstract class Catalogue {
  /** Returns the reader of a scope. Throws `CatalogueNotLoaded`, `SourceNotSynced` or `UnknownSource`. */
  abstract reader(scope: CatalogueScope): CatalogueReader;
  /** An object that is replaced whenever the reader of any scope changes. Undefined before the first load. */
  abstract readonly edition: object | undefined;
  /** Returns a decimal number that increases with each change of any source of the registry that the caller may see. */
  abstract revision(scope: CatalogueScope): string;
  /** Whether no part of the catalogue is known to be out of date. Cheap to read. */
  abstract readonly isFresh: boolean;
  /**
   * Returns the time since which the catalogue may be out of date in this scope; undefined while everything in it is
   * kept in sync.
   */
  abstract staleSince(scope: CatalogueScope): Date | undefined;
}

/** Thrown while nothing has been read from the database yet. */
export class CatalogueNotLoaded extends Error {
  constructor() {
    super('the catalogue is not loaded yet; retry in a moment');
    this.name = 'CatalogueNotLoaded';
  }
}

/**
 * Thrown for a list that would contain a source that has never been synced into this store, because its entries are
 * unknown.
 */
export class SourceNotSynced extends Error {
  constructor(source: string) {
    super(`source "${source}" has not been synced into this database yet, so its servers are not known; retry later`);
    this.name = 'SourceNotSynced';
  }
}

export class UnknownSource extends Error {
  constructor(source: string) {
    super(`no registry is called "${source}"`);
    this.name = 'UnknownSource';
  }
}
