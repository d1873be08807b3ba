import type { CatalogueReader } from '#read-model/catalogue-reader.js';

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
  /** While this is the same object, every scope has the same reader; undefined before the first load. */
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

/** A list would have to contain a source that was never synced into this store, so what is missing is unknown. */
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
