import { displayRef } from '#domain/registry-ref.js';
import { Catalogue, CatalogueNotLoaded, UnknownSource } from './catalogue-reader.js';
import type { CatalogueReader, CatalogueScope } from './catalogue-reader.js';
import { CatalogueSnapshot } from './catalogue-snapshot.js';
import { mergeSources } from './merge-sources.js';
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
  readonly #views = new WeakMap<RegistrySnapshot, WeakMap<ReadonlySet<string>, CatalogueSnapshot>>();
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

  reader({ namespace, registry, source, visibleSources }: CatalogueScope): CatalogueReader {
    if (!this.#snapshots) throw new CatalogueNotLoaded();
    const snapshot = this.#snapshots.get(displayRef({ namespace, name: registry }));
    if (source === undefined) return snapshot ? this.#aggregate(snapshot, visibleSources) : NOTHING;
    const found = snapshot?.sources.find(({ name }) => name === source);
    if (found && (!visibleSources || visibleSources.has(source))) return found.reader;
    // Elsewhere a registry has one name and many sources; clients that are told that name find all of them.
    if (snapshot && !found && source === registry) return this.#aggregate(snapshot, visibleSources);
    throw new UnknownSource(source);
  }

  /** What is merged for one view is kept as long as the snapshot is the newest. */
  #aggregate(snapshot: RegistrySnapshot, visible: ReadonlySet<string> | undefined): CatalogueSnapshot {
    if (!visible || snapshot.sources.every(({ name }) => visible.has(name))) return snapshot.aggregate;
    const views = this.#views.get(snapshot) ?? new WeakMap<ReadonlySet<string>, CatalogueSnapshot>();
    this.#views.set(snapshot, views);
    const known = views.get(visible);
    if (known) return known;
    const seen = snapshot.sources.filter(({ name }) => visible.has(name));
    const view = new CatalogueSnapshot(mergeSources(seen.map(({ prepared }) => prepared)));
    views.set(visible, view);
    return view;
  }
}
