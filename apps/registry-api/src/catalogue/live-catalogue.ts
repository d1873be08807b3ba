import { displayRef } from '#domain/registry-ref.js';
import { Catalogue, CatalogueNotLoaded, UnknownSource } from './catalogue-reader.js';
import type { CatalogueReader, CatalogueScope } from './catalogue-reader.js';
import { CatalogueSnapshot } from './catalogue-snapshot.js';
import type { PreparedSource } from './prepared-source.js';

/** One source of a registry as it was last read from the database. */
export interface SourceSnapshot {
  readonly name: string;
  /** Equal identities mean equal content: it names the database, the source in it and how often that was published. */
  readonly identity: string;
  /** It was synced, or a sync of it has at least failed. */
  readonly attempted: boolean;
  readonly prepared: PreparedSource;
  readonly reader: CatalogueSnapshot;
}

/** One registry, its sources in the order of its spec. */
export interface RegistrySnapshot {
  readonly sources: readonly SourceSnapshot[];
  readonly aggregate: CatalogueSnapshot;
}

/** By `namespace/name`. */
export type RegistrySnapshots = ReadonlyMap<string, RegistrySnapshot>;

const NOTHING = new CatalogueSnapshot({ servers: [], digest: 'empty' });

/** The newest snapshot of every registry in the database. Requests read; only the follower replaces. */
export class LiveCatalogue extends Catalogue {
  #snapshots: RegistrySnapshots | undefined;
  #change = Promise.withResolvers<void>();

  /** Undefined until the first load. */
  get snapshots(): RegistrySnapshots | undefined {
    return this.#snapshots;
  }

  /** All registries at once, in one assignment: no request sees half of a revision. */
  replace(snapshots: RegistrySnapshots): void {
    this.#snapshots = snapshots;
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }

  /** Resolves when the snapshots are next replaced, be it by equal ones. */
  nextChange(): Promise<void> {
    return this.#change.promise;
  }

  reader({ namespace, registry, source }: CatalogueScope): CatalogueReader {
    if (!this.#snapshots) throw new CatalogueNotLoaded();
    const snapshot = this.#snapshots.get(displayRef({ namespace, name: registry }));
    if (source === undefined) return snapshot?.aggregate ?? NOTHING;
    const found = snapshot?.sources.find(({ name }) => name === source);
    if (found) return found.reader;
    // Elsewhere a registry has one name and many sources; clients that are told that name find all of them.
    if (snapshot && source === registry) return snapshot.aggregate;
    throw new UnknownSource(source);
  }
}
