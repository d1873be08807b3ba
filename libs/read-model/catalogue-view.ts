import { compareCodePoints } from '#domain/code-point-order.js';
import type { CatalogueReader, ListQuery } from './catalogue-reader.js';
import type { Answer } from './answer.js';
import { composeEntry, composeList, rangesOf } from './compose-body.js';
import type { RowRange } from './compose-body.js';
import { canonicalFilter, encodeCursor } from './cursor.js';
import type { Cursor, ListFilter } from './cursor.js';
import { BitSet } from './bit-set.js';
import { Findings } from './findings.js';
import { rank } from './rank.js';
import { countFacets } from './facet-counts.js';
import { findServer, nameAt, segmentAt } from './layout.js';
import type { Layout } from './layout.js';
import { Pacer } from './pacer.js';
import { READ_MODEL_LIMITS } from './limits.js';
import { DELETED, LATEST } from './segment.js';
import { Selections } from './selections.js';
import type { StoredBodies } from './stored-bodies.js';

export interface ViewState {
  /** Ids of the sources that entries come from, by name. */
  readonly sources?: ReadonlyMap<string, number>;
  readonly tag: string;
  readonly changedAtMs: number | undefined;
}

/** Selects the entries that are part of Agentic Resource Discovery. */
const ADDRESSABLE = { version: 'latest', isAddressable: true } as const satisfies ListFilter;

/**
 * Estimated maximum size of facet counts in bytes. It is small, because each facet has a limited number of short
 * values.
 */
const FACET_BYTES = 64 * 1024;

const NO_SOURCES: ReadonlyMap<string, number> = new Map();

/** Responds from an immutable list of servers. A later revision is another view that shares most of the memory. */
export class CatalogueView implements CatalogueReader {
  readonly tag: string;
  readonly changedAtMs: number | undefined;
  readonly #layout: Layout;
  readonly #sources: ReadonlyMap<string, number>;
  readonly #selections: Selections;
  readonly #bodies: StoredBodies | undefined;

  /** `bodies` provides documents that are not in memory. Undefined if all documents of the layout are in memory. */
  constructor(layout: Layout, { tag, changedAtMs, sources = NO_SOURCES }: ViewState, bodies?: StoredBodies) {
    this.tag = tag;
    this.changedAtMs = changedAtMs;
    this.#layout = layout;
    this.#sources = sources;
    this.#selections = new Selections(layout, sources);
    this.#bodies = bodies;
  }

  list({ after, filter, limit }: ListQuery): Answer {
    return {
      prepare: () => (this.#selections.has(filter) ? undefined : () => void this.#selections.of(filter)),
      compose: () => {
        const selected = this.#selections.of(filter);
        const from = after ? this.#firstAfter(selected, after) : 0;
        const page = this.#withinPageBytes(selected.subarray(from, from + limit));
        const isLast = from + page.length === selected.length;
        const next = isLast ? undefined : this.#placeAt(page.at(-1) as number);
        const nextCursor = next && encodeCursor({ after: next, filter });
        const composition = composeList(rangesOf(this.#layout, page), nextCursor, this.#bodies);
        return { total: selected.length, ...(next && { next }), ...composition };
      },
    };
  }

  count(filter: ListFilter): number {
    return this.#selections.of(filter).length;
  }

  *names(filter: ListFilter): Generator<string> {
    for (const position of this.#selections.of(filter)) yield nameAt(this.#layout, position);
  }

  facets(filter: ListFilter): Answer {
    const count = async () => {
      const counts = countFacets(this.#layout, this.#selections, this.#sources, filter, new Pacer());
      return [Buffer.from(JSON.stringify(await counts))];
    };
    /** Equal requests share one count. */
    let counting: ReturnType<typeof count> | undefined;
    const counted = () => (counting ??= count());
    return {
      prepare: () => (counting ? undefined : async () => void (await counted())),
      compose: () => ({ partCount: 1, fetchedBytes: 0, ownBytes: FACET_BYTES, body: counted }),
    };
  }

  find(filter: ListFilter, text?: string): Findings {
    const origin = { layout: this.#layout, sources: this.#sources, bodies: this.#bodies };
    const listed = this.#selections.of(ADDRESSABLE);
    const wanted = this.#selections.of(canonicalFilter({ ...filter, ...ADDRESSABLE }));
    if (text === undefined) return new Findings(origin, wanted);
    const { positions, scores } = rank(this.#layout, BitSet.of(this.#layout.rowOf.length, listed), wanted, text);
    return new Findings(origin, positions, scores);
  }

  versions(name: string, includeDeleted: boolean): Answer | undefined {
    const server = findServer(this.#layout, name);
    if (!server) return undefined;
    const { segment, first, count } = server;
    const ranges: RowRange[] = [];
    for (let at = first; at < first + count; at++) {
      const row = segment.columns.newestFirst[at] as number;
      if (includeDeleted || !segment.has(row, DELETED)) ranges.push({ segment, first: row, last: row });
    }
    if (ranges.length === 0) return undefined;
    return { compose: () => ({ total: ranges.length, ...composeList(ranges, undefined, this.#bodies) }) };
  }

  version(name: string, version: string, includeDeleted: boolean): Answer | undefined {
    const server = findServer(this.#layout, name);
    if (!server) return undefined;
    const { segment, first, count } = server;
    for (let row = first; row < first + count; row++) {
      if (!(version === 'latest' ? segment.has(row, LATEST) : segment.version(row) === version)) continue;
      if (segment.has(row, DELETED) && !includeDeleted) return undefined;
      return { compose: () => composeEntry(segment, row, this.#bodies) };
    }
    return undefined;
  }

  /** Truncates a page to the maximum size in bytes. The first entry is always included. */
  #withinPageBytes(page: Uint32Array): Uint32Array {
    let bytes = 0;
    for (let at = 0; at < page.length; at++) {
      const position = page[at] as number;
      bytes += segmentAt(this.#layout, position).size(this.#layout.rowOf[position] as number);
      if (bytes > READ_MODEL_LIMITS.pageBytes && at > 0) return page.subarray(0, at);
    }
    return page;
  }

  #placeAt(position: number): Cursor['after'] {
    return { name: nameAt(this.#layout, position), version: this.#versionAt(position) };
  }

  #versionAt(position: number): string {
    return segmentAt(this.#layout, position).version(this.#layout.rowOf[position] as number);
  }

  /** Returns the index of the first entry after a place, using binary search. */
  #firstAfter(positions: Uint32Array, place: Cursor['after']): number {
    let low = 0;
    let high = positions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const position = positions[middle] as number;
      const order =
        compareCodePoints(nameAt(this.#layout, position), place.name) ||
        compareCodePoints(this.#versionAt(position), place.version);
      if (order <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
