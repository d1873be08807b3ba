import { displayRef } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { Catalogue, CatalogueNotLoaded, SourceNotSynced, UnknownSource } from './catalogue.js';
import type { CatalogueScope } from './catalogue.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import { aggregateView } from '#read-model/aggregate-view.js';
import { CatalogueView } from '#read-model/catalogue-view.js';
import { EMPTY_LAYOUT } from '#read-model/layout.js';
import type { Layout } from '#read-model/layout.js';
import { mergeLayouts } from '#read-model/merge-layouts.js';
import type { StoredBodies } from '#read-model/stored-bodies.js';

/** One source of a registry, as last read from the database. */
export interface SourceSnapshot {
  readonly name: string;
  /** Identifies where its rows are stored: the database, the file of the table, and the source. */
  readonly place: string;
  /** Number of changes of its entries. An equal number means equal entries. */
  readonly generation: string;
  /** Random id of this generation, which is equal only if the rows are equal. */
  readonly edition: string;
  /** Number of deleted rows. An equal number means that no row was deleted in between. */
  readonly purged: string;
  /** The Postgres snapshot of the transactions that the content comes from. */
  readonly seen: string;
  /** Whether a sync of it has ended, successfully or not. */
  readonly attempted: boolean;
  /** Whether this store has ever had its content: a sync has succeeded, or the store itself is the source. */
  readonly isSynced: boolean;
  /** When its content was last confirmed to match the source. */
  readonly syncedAtMs: number | null;
  /** Whether its newest sync failed. */
  readonly isFailing: boolean;
  /** Number of its entries that are not served because they exceed the memory budget. */
  readonly withheld: number;
  readonly layout: Layout;
  readonly reader: CatalogueReader;
}

/** One registry, with its sources in the order of its spec. */
export interface RegistrySnapshot {
  readonly sources: readonly SourceSnapshot[];
  readonly layout: Layout;
  readonly aggregate: CatalogueReader;
}

/** The registries by `namespace/name`. */
export type RegistrySnapshots = ReadonlyMap<string, RegistrySnapshot>;

/** Returns the number of entries of all sources that are not served because they exceed the memory budget. */
export function withheldIn(snapshots: readonly RegistrySnapshot[]): number {
  return snapshots.flatMap(({ sources }) => sources).reduce((sum, { withheld }) => sum + withheld, 0);
}

const NOTHING = new CatalogueView(EMPTY_LAYOUT, { tag: 'nothing', changedAtMs: undefined });

/** The newest snapshot of every registry in the database. Requests only read it; only the follower replaces it. */
export class LiveCatalogue extends Catalogue {
  #snapshots: RegistrySnapshots | undefined;
  #edition: object | undefined;
  readonly #merged = new WeakMap<CatalogueReader, WeakMap<object, WeakMap<object, CatalogueReader>>>();
  #change = Promise.withResolvers<void>();
  #staleSince: Date | undefined;
  #isAnyFailing = false;
  #confirmedAtMs: number | undefined;

  readonly #unsyncedSince: () => Date | undefined;

  /**
   * `bodies` reads documents that are not in memory. `unsyncedSince` returns the time since which no syncs are running.
   */
  constructor(
    readonly bodies?: StoredBodies,
    unsyncedSince: () => Date | undefined = () => undefined,
  ) {
    super();
    this.#unsyncedSince = unsyncedSince;
  }

  /** Undefined until the first load. */
  get snapshots(): RegistrySnapshots | undefined {
    return this.#snapshots;
  }

  get edition(): object | undefined {
    return this.#edition;
  }

  /** When the catalogue was last confirmed to match the database. */
  get confirmedAtMs(): number | undefined {
    return this.#confirmedAtMs;
  }

  get isFresh(): boolean {
    return this.#staleSince === undefined && !this.#isAnyFailing && this.#unsyncedSince() === undefined;
  }

  revision({ namespace, registry, visibleSources }: CatalogueScope): string {
    const { sources = [] } = this.#snapshots?.get(displayRef({ namespace, name: registry })) ?? {};
    const visible = sources.filter(({ name }) => visibleSources?.has(name) ?? true);
    return visible.reduce((sum, { generation }) => sum + BigInt(generation), 0n).toString();
  }

  staleSince({ namespace, registry, source, view, visibleSources }: CatalogueScope): Date | undefined {
    const { sources = [] } = this.#snapshots?.get(displayRef({ namespace, name: registry })) ?? {};
    const asked = source === undefined ? view : [source];
    const failing = sources.flatMap(({ name, isFailing, syncedAtMs }) =>
      // A source that has never been synced serves nothing that could be out of date.
      isFailing && syncedAtMs !== null && (asked?.includes(name) ?? true) && (visibleSources?.has(name) ?? true)
        ? [new Date(syncedAtMs)]
        : [],
    );
    return [this.#staleSince, this.#unsyncedSince(), ...failing].reduce((earliest, since) =>
      earliest && since && since > earliest ? earliest : (since ?? earliest),
    );
  }

  /** Marks the catalogue as stale: until it is replaced, it may differ from the database. */
  markStale(): void {
    this.#staleSince ??= new Date();
  }

  /** Replaces all registries in one assignment, so that no request sees half of a revision. */
  replace(snapshots: RegistrySnapshots): void {
    if (!this.#snapshots || !haveSameReaders(this.#snapshots, snapshots)) this.#edition = {};
    this.#snapshots = snapshots;
    this.#staleSince = undefined;
    this.#isAnyFailing = Array.from(snapshots.values()).some(({ sources }) => sources.some((each) => each.isFailing));
    this.#confirmedAtMs = Date.now();
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }

  /** Resolves when the snapshots are next replaced, even if nothing has changed. */
  nextChange(): Promise<void> {
    return this.#change.promise;
  }

  /**
   * Throws `CatalogueNotLoaded` if nothing is stored for a registry under the uid that this process serves. Does not
   * throw before the first load, when that is still unknown.
   */
  demandStored(registry: Pick<RegistryRef, 'namespace' | 'name'>): void {
    if (this.#snapshots && !this.#snapshots.has(displayRef(registry))) throw new CatalogueNotLoaded();
  }

  reader(scope: CatalogueScope): CatalogueReader {
    if (!this.#snapshots) throw new CatalogueNotLoaded();
    const { namespace, registry, source, view, visibleSources } = scope;
    const snapshot = this.#snapshots.get(displayRef({ namespace, name: registry }));
    const unsynced = firstUnsyncedSource(snapshot, scope);
    if (unsynced !== undefined) throw new SourceNotSynced(unsynced);
    if (source === undefined) return snapshot ? this.#aggregate(snapshot, visibleSources, view) : NOTHING;
    const found = snapshot?.sources.find(({ name }) => name === source);
    if (found && (!visibleSources || visibleSources.has(source))) return found.reader;
    throw new UnknownSource(source);
  }

  /**
   * Returns the merged reader of a view and a set of visible sources. It is cached until any source of the registry
   * changes.
   */
  #aggregate(
    snapshot: RegistrySnapshot,
    visible: ReadonlySet<string> | undefined,
    view?: readonly string[],
  ): CatalogueReader {
    if (!view && (!visible || snapshot.sources.every(({ name }) => visible.has(name)))) return snapshot.aggregate;
    const ofSnapshot = entryOf(
      this.#merged,
      snapshot.aggregate,
      () => new WeakMap<object, WeakMap<object, CatalogueReader>>(),
    );
    const ofView = entryOf(ofSnapshot, view ?? ALL, () => new WeakMap<object, CatalogueReader>());
    return entryOf(ofView, visible ?? ALL, () => {
      const viewed = view?.flatMap((name) => snapshot.sources.find((source) => source.name === name) ?? []);
      const seen = (viewed ?? snapshot.sources).filter(({ name }) => visible?.has(name) ?? true);
      return aggregateView(seen, mergeLayouts(seen.map(({ layout }) => layout)), this.bodies);
    });
  }
}

/** Returns the name of a source that a list in this scope would contain but whose content this store has never had. */
function firstUnsyncedSource(snapshot: RegistrySnapshot | undefined, scope: CatalogueScope): string | undefined {
  const { source, view, visibleSources, declaredSources = [] } = scope;
  const sources = snapshot?.sources ?? [];
  const isWanted = (name: string) =>
    (source === undefined ? (view?.includes(name) ?? true) : source === name) && (visibleSources?.has(name) ?? true);
  const unsynced = sources.find(({ name, isSynced }) => !isSynced && isWanted(name));
  if (unsynced) return unsynced.name;
  return declaredSources.find((name) => isWanted(name) && !sources.some((each) => each.name === name));
}

function haveSameReaders(before: RegistrySnapshots, now: RegistrySnapshots): boolean {
  if (before.size !== now.size) return false;
  return Array.from(now).every(([registry, { aggregate, sources }]) => {
    const known = before.get(registry);
    return (
      known?.aggregate === aggregate &&
      known.sources.length === sources.length &&
      sources.every(({ name, reader }, at) => known.sources[at]?.name === name && known.sources[at].reader === reader)
    );
  });
}

/** Cache key for "no restriction". */
const ALL = {};

function entryOf<Key extends object, Value>(map: WeakMap<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
