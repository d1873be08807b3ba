import { displayRef } from '#domain/registry-ref.js';
import { Catalogue, CatalogueNotLoaded, SourceNotSynced, UnknownSource } from './catalogue.js';
import type { CatalogueScope } from './catalogue.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import { aggregateView } from '#read-model/aggregate-view.js';
import { CatalogueView } from '#read-model/catalogue-view.js';
import { EMPTY_LAYOUT } from '#read-model/layout.js';
import type { Layout } from '#read-model/layout.js';
import { mergeLayouts } from '#read-model/merge-layouts.js';
import type { StoredBodies } from '#read-model/stored-bodies.js';

/** One source of a registry as it was last read from the database. */
export interface SourceSnapshot {
  readonly name: string;
  /** Where its rows are stored. */
  readonly place: string;
  /** How often its entries were changed: equal means that they were not. */
  readonly generation: string;
  /** The random name of this generation: the same only where the rows are the same. */
  readonly edition: string;
  /** How many of its rows were deleted: equal means none since. */
  readonly purged: string;
  /** The database's own name for all transactions that the content is made of. */
  readonly seen: string;
  /** It was synced, or a sync of it has at least failed. */
  readonly attempted: boolean;
  /** Whether this store has ever had its content: a sync has succeeded, or the store itself is the source. */
  readonly isSynced: boolean;
  /** When its content was last known to be that of the source. */
  readonly syncedAtMs: number | null;
  /** Its newest sync failed. */
  readonly isFailing: boolean;
  /** The number of its entries that are not served, since they exceed the memory budget. */
  readonly withheld: number;
  readonly layout: Layout;
  readonly reader: CatalogueReader;
}

/** One registry, its sources in the order of its spec. */
export interface RegistrySnapshot {
  readonly sources: readonly SourceSnapshot[];
  readonly layout: Layout;
  readonly aggregate: CatalogueReader;
}

/** By `namespace/name`. */
export type RegistrySnapshots = ReadonlyMap<string, RegistrySnapshot>;

/** The number of entries of all sources that are not served, since they exceed the memory budget. */
export function withheldIn(snapshots: readonly RegistrySnapshot[]): number {
  return snapshots.flatMap(({ sources }) => sources).reduce((sum, { withheld }) => sum + withheld, 0);
}

const NOTHING = new CatalogueView(EMPTY_LAYOUT, { tag: 'nothing', changedAtMs: undefined });

/** The newest snapshot of every registry in the database. Requests read; only the follower replaces. */
export class LiveCatalogue extends Catalogue {
  #snapshots: RegistrySnapshots | undefined;
  #edition: object | undefined;
  readonly #merged = new WeakMap<CatalogueReader, WeakMap<object, WeakMap<object, CatalogueReader>>>();
  #change = Promise.withResolvers<void>();
  #staleSince: Date | undefined;
  #isAnyFailing = false;
  #confirmedAtMs: number | undefined;

  readonly #unsyncedSince: () => Date | undefined;

  /** `bodies`: where documents are that are not in memory; `unsyncedSince`: since when no sync takes place. */
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

  /** When it was last known to be what the database holds. */
  get confirmedAtMs(): number | undefined {
    return this.#confirmedAtMs;
  }

  get isFresh(): boolean {
    return this.#staleSince === undefined && !this.#isAnyFailing && this.#unsyncedSince() === undefined;
  }

  revision({ namespace, registry }: CatalogueScope): string {
    const { sources = [] } = this.#snapshots?.get(displayRef({ namespace, name: registry })) ?? {};
    return sources.reduce((sum, { generation }) => sum + BigInt(generation), 0n).toString();
  }

  staleSince({ namespace, registry, source, view, visibleSources }: CatalogueScope): Date | undefined {
    const { sources = [] } = this.#snapshots?.get(displayRef({ namespace, name: registry })) ?? {};
    const asked = source === undefined ? view : [source];
    const failing = sources.flatMap(({ name, isFailing, syncedAtMs }) =>
      // What was never synced serves nothing that could be out of date.
      isFailing && syncedAtMs !== null && (asked?.includes(name) ?? true) && (visibleSources?.has(name) ?? true)
        ? [new Date(syncedAtMs)]
        : [],
    );
    return [this.#staleSince, this.#unsyncedSince(), ...failing].reduce((earliest, since) =>
      earliest && since && since > earliest ? earliest : (since ?? earliest),
    );
  }

  /** Marks the catalogue as stale: until it is replaced, it may differ from what the database holds. */
  markStale(): void {
    this.#staleSince ??= new Date();
  }

  /** All registries at once, in one assignment: no request sees half of a revision. */
  replace(snapshots: RegistrySnapshots): void {
    if (!this.#snapshots || !haveSameReaders(this.#snapshots, snapshots)) this.#edition = {};
    this.#snapshots = snapshots;
    this.#staleSince = undefined;
    this.#isAnyFailing = Array.from(snapshots.values()).some(({ sources }) => sources.some((each) => each.isFailing));
    this.#confirmedAtMs = Date.now();
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }

  /** Resolves when the snapshots are next replaced, even by equal ones. */
  nextChange(): Promise<void> {
    return this.#change.promise;
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

  /** What is merged for one view and one set of sources is kept as long as there is nothing new in the whole. */
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

/** Returns the name of a source that a list would contain, and whose content this store has never had. */
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

/** Stands for no restriction. */
const ALL = {};

function entryOf<Key extends object, Value>(map: WeakMap<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
