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
import type { StoredBodies } from '#read-model/stored-bodies.js';

/** What a change leaves behind in memory is put up with, up to this share of a source and this many changes. */
const TOLERATED_WASTE = 0.2;
const TOLERATED_SEGMENTS = 12;

export interface LoadOptions {
  readonly bodies: StoredBodies | undefined;
  /** Bytes that the whole catalogue may take: documents, names, texts and indexes. */
  readonly budget: number;
  /** Whether to read sources whole again when too much of their memory is waste. */
  readonly tidy: boolean;
}

interface SourceRow extends EditionHistory {
  readonly id: number;
  readonly name: string;
  /** The same as long as its rows are where they were: it names the database, the file of the table, and the source. */
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

/** A source, and the names that may be other than in the snapshot before; undefined: any. */
interface Taken {
  readonly source: SourceSnapshot;
  readonly changed: readonly string[] | undefined;
}

/** Whether there is something for a load that tidies. */
export function isUntidy({ layout }: SourceSnapshot): boolean {
  return layout.segments.length > TOLERATED_SEGMENTS || wastedShare(layout) > TOLERATED_WASTE;
}

/**
 * Reads all registries of the database as they were at one moment. What `previous` holds is taken from there, so that a
 * change costs what changed.
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
    const { rows } = await this.#client.query<SourceRow & { registry: string }>(`
      SELECT registry.namespace || '/' || registry.name AS registry, source.id, source.name, source.generation, source.edition,
             source.editions, source.edition_writers AS "editionWriters", source.purged,
             store.id || '/' || pg_relation_filenode('entry') || '/' || source.id AS place,
             source.synced_at IS NOT NULL
               OR EXISTS (SELECT FROM sync_run WHERE sync_run.source_id = source.id) AS attempted,
             source.synced_at IS NOT NULL OR source.type = 'managed' AS "isSynced",
             extract(epoch FROM source.synced_at)::float8 * 1000 AS "syncedAtMs",
             coalesce((SELECT failure_reason IS NOT NULL FROM sync_run WHERE sync_run.source_id = source.id
                        ORDER BY started_at DESC LIMIT 1), false) AS "isFailing",
             (SELECT extract(epoch FROM max(updated_at))::float8 * 1000 FROM entry
               WHERE entry.source_id = source.id) AS "changedAtMs"
        FROM store CROSS JOIN registry
        LEFT JOIN source ON source.namespace = registry.namespace AND source.registry = registry.name AND source.left_at IS NULL
       ORDER BY registry.namespace, registry.name, source.position, source.name`);
    const registries = Map.groupBy(rows, ({ registry }) => registry);
    // A registry without sources is one row without a source.
    return new Map(Array.from(registries, ([name, sources]) => [name, sources.filter(({ id }) => id !== null)]));
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
   * Undefined when the changes alone do not lead to what is stored now, since rows that were deleted leave no mark on
   * others, or when there are so many that reading all is less work.
   */
  async #readChanges(row: SourceRow, known: SourceSnapshot): Promise<Taken | undefined> {
    if (row.purged !== known.purged || !(await followsEdition(this.#client, row, known))) return undefined;
    const tolerated = Math.floor(TOLERATED_WASTE * known.layout.rowOf.length);
    if (await hasMoreChanges(this.#client, row.id, known.seen, tolerated)) return undefined;
    const { segment, names } = await readChanges(this.#client, row.id, known.seen, this.#room(), this.#pacer);
    // What was replaced is still in memory; reading all of it frees that first.
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

  /** What this transaction sees, as Postgres writes it. */
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

/** Returns the names without duplicates, in the order of Postgres. */
function inTextOrder(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted(compareCodePoints);
}

function bytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { bytes, indexBytes }) => sum + bytes + indexBytes, 0);
}

function indexBytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { indexBytes }) => sum + indexBytes, 0);
}
