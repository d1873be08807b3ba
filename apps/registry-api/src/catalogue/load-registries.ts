import { PUBLISHED_TYPE } from '#domain/published-type.js';
import type { ClientBase } from '#persistence/client.js';
import { aggregateView, idsOf } from '#read-model/aggregate-view.js';
import { CatalogueView } from '#read-model/catalogue-view.js';
import { compareCodePoints } from '#domain/code-point-order.js';
import { EMPTY_LAYOUT, findServer, layoutOf, toChange, wastedShare, withChanges } from '#read-model/layout.js';
import type { Layout } from '#read-model/layout.js';
import type { RegistrySnapshot, RegistrySnapshots, SourceSnapshot } from './live-catalogue.js';
import { READ_MODEL_LIMITS } from '#read-model/limits.js';
import { mergedWith, remergeNames } from '#read-model/merge-layouts.js';
import { Pacer } from '#read-model/pacer.js';
import { followsEdition } from './follows-edition.js';
import type { EditionHistory } from './follows-edition.js';
import { hasMoreChanges, readChanges, readSource } from './read-source.js';
import type { Segment } from '#read-model/segment.js';
import type { Room } from '#read-model/segment-builder.js';
import { stateTag } from '#read-model/state-tag.js';
import type { ServedUids } from '../served-registry.js';
import type { StoredBodies } from '#read-model/stored-bodies.js';

/**
 * Changes leave replaced rows and additional segments in memory. A source is compacted if the share of replaced rows or
 * the number of segments exceeds these limits.
 */
const TOLERATED_WASTE = 0.2;
const TOLERATED_SEGMENTS = 12;

export interface LoadOptions {
  /**
   * Uids of the served registries. Rows of such a name with another uid belong to another resource and are not loaded.
   */
  readonly served: ServedUids | undefined;
  readonly bodies: StoredBodies | undefined;
  /** Maximum bytes of the whole catalogue: documents, names, texts and indexes. */
  readonly budget: number;
  /** Whether to reread sources completely if too much of their memory is waste. */
  readonly tidy: boolean;
}

interface SourceRow extends EditionHistory {
  readonly id: number;
  readonly name: string;
  /** Identifies where the rows are stored: the database, the file of the table, and the source. */
  readonly place: string;
  readonly generation: string;
  readonly edition: string;
  readonly purged: string;
  readonly attempted: boolean;
  readonly isSynced: boolean;
  readonly syncedAtMs: number | null;
  readonly isFailing: boolean;
  readonly changedAtMs: number | null;
}

/** A source with the names that may differ from the previous snapshot; undefined means any name. */
interface Taken {
  readonly source: SourceSnapshot;
  readonly changed: readonly string[] | undefined;
}

/** Whether a load with `tidy` would compact this source. */
export function isUntidy({ layout }: SourceSnapshot): boolean {
  return layout.segments.length > TOLERATED_SEGMENTS || wastedShare(layout) > TOLERATED_WASTE;
}

/**
 * Reads a consistent state of all registries in the database. Reuses `previous`, so that the cost of a change depends
 * only on its size.
 */
export async function loadRegistries(
  client: ClientBase,
  previous: RegistrySnapshots,
  options: LoadOptions,
): Promise<RegistrySnapshots> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    return await new Load(client, previous, options).run();
  } finally {
    await client.query('COMMIT').catch(() => undefined);
  }
}

class Load {
  readonly #pacer = new Pacer();
  readonly #client: ClientBase;
  readonly #previous: RegistrySnapshots;
  readonly #options: LoadOptions;
  readonly #known: ReadonlyMap<string, SourceSnapshot>;
  #heldBytes: number;
  #heldIndexBytes: number;

  constructor(client: ClientBase, previous: RegistrySnapshots, options: LoadOptions) {
    this.#client = client;
    this.#previous = previous;
    this.#options = options;
    const sources = Array.from(previous.values()).flatMap((registry) => registry.sources);
    this.#known = new Map(sources.map((source) => [source.place, source]));
    this.#heldBytes = sources.reduce((bytes, { layout }) => bytes + bytesOf(layout.segments), 0);
    this.#heldIndexBytes = sources.reduce((bytes, { layout }) => bytes + indexBytesOf(layout.segments), 0);
  }

  async run(): Promise<RegistrySnapshots> {
    const snapshots = new Map<string, RegistrySnapshot>();
    for (const [registry, rows] of await this.#readSources()) {
      const taken: Taken[] = [];
      for (const row of rows) taken.push(await this.#takeSource(row));
      snapshots.set(registry, await this.#toRegistry(taken, this.#previous.get(registry)));
    }
    return snapshots;
  }

  async #readSources(): Promise<Map<string, SourceRow[]>> {
    const { rows } = await this.#client.query<SourceRow & { registry: string; uid: string }>(`
      SELECT registry.namespace || '/' || registry.name AS registry, registry.uid, source.id, source.name, source.generation, source.edition,
             source.editions, source.edition_writers AS "editionWriters", source.purged,
             store.id || '/' || pg_relation_filenode('entry') || '/' || source.id AS place,
             source.synced_at IS NOT NULL
               OR EXISTS (SELECT FROM sync_run WHERE sync_run.source_id = source.id) AS attempted,
             source.synced_at IS NOT NULL OR source.type = '${PUBLISHED_TYPE}' AS "isSynced",
             extract(epoch FROM source.synced_at)::float8 * 1000 AS "syncedAtMs",
             coalesce((SELECT failure_reason IS NOT NULL FROM sync_run WHERE sync_run.source_id = source.id
                        ORDER BY started_at DESC LIMIT 1), false) AS "isFailing",
             (SELECT extract(epoch FROM max(updated_at))::float8 * 1000 FROM entry
               WHERE entry.source_id = source.id) AS "changedAtMs"
        FROM store CROSS JOIN registry
        LEFT JOIN source ON source.namespace = registry.namespace AND source.registry = registry.name AND source.left_at IS NULL
       ORDER BY registry.namespace, registry.name, source.position, source.name`);
    const registries = Map.groupBy(
      rows.filter((row) => !this.#isForeign(row)),
      (row) => row.registry,
    );
    // The query returns one row without a source for a registry that has none.
    return new Map(Array.from(registries, ([name, sources]) => [name, sources.filter(({ id }) => id !== null)]));
  }

  /** Whether the rows belong to another resource than the one of this name that the process serves. */
  #isForeign({ registry, uid }: { readonly registry: string; readonly uid: string }): boolean {
    return (this.#options.served?.get(registry) ?? uid) !== uid;
  }

  async #takeSource(row: SourceRow): Promise<Taken> {
    const known = this.#known.get(row.place);
    const { name, attempted, isSynced, syncedAtMs, isFailing } = row;
    const isTidy = !known || !this.#options.tidy || !isUntidy(known);
    if (known && isTidy && known.edition === row.edition && known.name === row.name) {
      return { source: { ...known, name, attempted, isSynced, syncedAtMs, isFailing }, changed: [] };
    }
    return (known && isTidy && (await this.#readChanges(row, known))) || this.#readWhole(row, known);
  }

  async #readWhole(row: SourceRow, known: SourceSnapshot | undefined): Promise<Taken> {
    if (known) this.#count(known.layout.segments, -1);
    const segment = await readSource(this.#client, row.id, this.#room(), this.#pacer);
    this.#count([segment], 1);
    return { source: await this.#toSource(row, layoutOf(segment), segment.withheld), changed: undefined };
  }

  /**
   * Reads only the changed rows. Returns undefined if they do not lead to the stored state, because deleted rows leave
   * no trace, or if there are so many that reading all rows is cheaper.
   */
  async #readChanges(row: SourceRow, known: SourceSnapshot): Promise<Taken | undefined> {
    if (row.purged !== known.purged || !(await followsEdition(this.#client, row, known))) return undefined;
    const tolerated = Math.floor(TOLERATED_WASTE * known.layout.rowOf.length);
    if (await hasMoreChanges(this.#client, row.id, known.seen, tolerated)) return undefined;
    const { segment, names } = await readChanges(this.#client, row.id, known.seen, this.#room(), this.#pacer);
    // Replaced rows still take memory. Reading everything frees them first.
    if (segment.withheld > 0) return undefined;
    const changed = layoutOf(segment);
    const changes = names.map((name) => toChange(name, findServer(changed, name)));
    const layout = withChanges(known.layout, changes);
    this.#count([segment], 1);
    return { source: await this.#toSource(row, layout, known.withheld), changed: names };
  }

  #count(segments: readonly Segment[], sign: 1 | -1): void {
    this.#heldBytes += sign * bytesOf(segments);
    this.#heldIndexBytes += sign * indexBytesOf(segments);
  }

  #room(): Room {
    const { budget } = this.#options;
    return {
      bytes: budget - this.#heldBytes,
      indexBytes: budget * READ_MODEL_LIMITS.indexShare - this.#heldIndexBytes,
    };
  }

  async #toSource(row: SourceRow, layout: Layout, withheld: number): Promise<SourceSnapshot> {
    const { name, place, generation, edition, purged, attempted, isSynced, syncedAtMs, isFailing } = row;
    const state = {
      tag: stateTag([`${place}/${edition}`]),
      changedAtMs: row.changedAtMs ?? undefined,
      sources: idsOf([{ name, layout }]),
    };
    const reader = new CatalogueView(layout, state, this.#options.bodies);
    const seen = await this.#snapshot();
    const record = { name, place, generation, edition, purged, attempted, isSynced, syncedAtMs, isFailing };
    return { ...record, withheld, seen, layout, reader };
  }

  /** Returns the snapshot of this transaction, in the notation of Postgres. */
  async #snapshot(): Promise<string> {
    const { rows } = await this.#client.query<{ seen: string }>('SELECT pg_current_snapshot()::text AS seen');
    return (rows[0] as { seen: string }).seen;
  }

  async #toRegistry(taken: readonly Taken[], previous: RegistrySnapshot | undefined): Promise<RegistrySnapshot> {
    const sources = taken.map(({ source }) => source);
    const layout = await this.#merge(taken, previous);
    const aggregate = aggregateView(sources, layout, this.#options.bodies);
    const isSame = layout === previous?.layout && aggregate.tag === previous.aggregate.tag;
    return isSame ? { ...previous, sources } : { sources, layout, aggregate };
  }

  async #mergeAll(layouts: readonly Layout[]): Promise<Layout> {
    let merged = EMPTY_LAYOUT;
    for (const layout of layouts) {
      merged = mergedWith(merged, layout);
      await this.#pacer.rest();
    }
    return merged;
  }

  async #merge(taken: readonly Taken[], previous: RegistrySnapshot | undefined): Promise<Layout> {
    const layouts = taken.map(({ source }) => source.layout);
    if (layouts.length === 1) return layouts[0] as Layout;
    const isSameOrder =
      previous?.sources.length === taken.length &&
      taken.every(({ source, changed }, index) => changed && previous.sources[index]?.place === source.place);
    if (!isSameOrder) return this.#mergeAll(layouts);
    return remergeNames(previous.layout, layouts, inTextOrder(taken.flatMap(({ changed }) => changed ?? [])));
  }
}

/** Returns the names without duplicates, sorted by code point as in Postgres. */
function inTextOrder(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted(compareCodePoints);
}

function bytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { bytes, indexBytes }) => sum + bytes + indexBytes, 0);
}

function indexBytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { indexBytes }) => sum + indexBytes, 0);
}
