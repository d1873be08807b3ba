import { compareCodePoints } from '#domain/code-point-order.js';
import { DELETED, LATEST } from './segment.js';
import type { Segment } from './segment.js';

/**
 * An immutable list of rows, sorted by name and version in code point order. The rows themselves are in one or more
 * segments.
 */
export interface Layout {
  readonly segments: readonly Segment[];
  readonly segmentOf: Uint16Array;
  readonly rowOf: Uint32Array;
}

/** All rows of one server. */
export interface ServerRows {
  readonly segment: Segment;
  readonly first: number;
  readonly count: number;
}

/** A change of one server: its new rows, or its removal if there are none. */
export interface ServerChange {
  readonly name: string;
  readonly rows?: ServerRows;
}

export function toChange(name: string, rows: ServerRows | undefined): ServerChange {
  return { name, ...(rows && { rows }) };
}

export const EMPTY_LAYOUT: Layout = { segments: [], segmentOf: new Uint16Array(0), rowOf: new Uint32Array(0) };

export function layoutOf(segment: Segment): Layout {
  if (segment.length === 0) return EMPTY_LAYOUT;
  const rowOf = new Uint32Array(segment.length);
  for (let row = 0; row < rowOf.length; row++) rowOf[row] = row;
  return { segments: [segment], segmentOf: new Uint16Array(segment.length), rowOf };
}

export function segmentAt({ segments, segmentOf }: Layout, position: number): Segment {
  return segments[segmentOf[position] as number] as Segment;
}

export function nameAt(layout: Layout, position: number): string {
  return segmentAt(layout, position).name(layout.rowOf[position] as number);
}

/** Returns the position of a name, or the position at which it would be inserted, using binary search. */
function placeOf(layout: Layout, name: string, from = 0, to = layout.rowOf.length): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareCodePoints(nameAt(layout, middle), name) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Returns the position of a name, or the position at which it would be inserted, using galloping search (with strides
 * that double). For names that are probably near `from`.
 */
export function placeNear(layout: Layout, name: string, from: number): number {
  let low = from;
  let stride = 1;
  while (low + stride < layout.rowOf.length && compareCodePoints(nameAt(layout, low + stride), name) < 0) {
    low += stride;
    stride *= 2;
  }
  return placeOf(layout, name, low, Math.min(layout.rowOf.length, low + stride));
}

/** Returns the end (exclusive) of the server that starts at a position. */
export function serverEnd(layout: Layout, position: number): number {
  const name = nameAt(layout, position);
  let end = position + 1;
  while (end < layout.rowOf.length && nameAt(layout, end) === name) end++;
  return end;
}

/** The position of a row that is no longer in the layout. */
export const NOWHERE = 0xffffffff;

const located = new WeakMap<Layout, readonly Uint32Array[]>();

/** Returns, for each segment, the positions of its rows in the layout. */
export function positionsIn(layout: Layout): readonly Uint32Array[] {
  const known = located.get(layout);
  if (known) return known;
  const { segments, segmentOf, rowOf } = layout;
  const positions = segments.map(({ length }) => new Uint32Array(length).fill(NOWHERE));
  for (let position = 0; position < rowOf.length; position++) {
    (positions[segmentOf[position] as number] as Uint32Array)[rowOf[position] as number] = position;
  }
  located.set(layout, positions);
  return positions;
}

export function findServer(layout: Layout, name: string): ServerRows | undefined {
  const positions = positionsIn(layout);
  for (let number = 0; number < positions.length; number++) {
    const segment = layout.segments[number] as Segment;
    const first = segment.columns.firstRows.get(name);
    if (first === undefined || (positions[number] as Uint32Array)[first] === NOWHERE) continue;
    return { segment, first, count: segment.countVersions(first) };
  }
  return undefined;
}

export function serverAt(layout: Layout, position: number): ServerRows {
  return {
    segment: segmentAt(layout, position),
    first: layout.rowOf[position] as number,
    count: serverEnd(layout, position) - position,
  };
}

/** Returns whether a server has only tombstones. */
export function isGone({ segment, first, count }: ServerRows): boolean {
  for (let row = first; row < first + count; row++) {
    if (segment.has(row, LATEST)) return segment.has(row, DELETED);
  }
  return true;
}

/**
 * Returns a layout with some servers added, replaced or removed. `changes` must be sorted by name in code point order.
 */
export function withChanges(layout: Layout, changes: readonly ServerChange[]): Layout {
  if (changes.length === 0) return layout;
  const added = changes.reduce((count, { rows }) => count + (rows?.count ?? 0), 0);
  const segments = [...layout.segments];
  const segmentOf = new Uint16Array(layout.rowOf.length + added);
  const rowOf = new Uint32Array(layout.rowOf.length + added);
  let length = 0;
  const copyUntil = (from: number, to: number) => {
    segmentOf.set(layout.segmentOf.subarray(from, to), length);
    rowOf.set(layout.rowOf.subarray(from, to), length);
    length += to - from;
  };

  let at = 0;
  for (const { name, rows } of changes) {
    const place = placeNear(layout, name, at);
    copyUntil(at, place);
    const isKnown = place < layout.rowOf.length && nameAt(layout, place) === name;
    at = isKnown ? serverEnd(layout, place) : place;
    if (!rows) continue;
    let segment = segments.lastIndexOf(rows.segment);
    if (segment < 0) segment = segments.push(rows.segment) - 1;
    segmentOf.fill(segment, length, length + rows.count);
    for (let offset = 0; offset < rows.count; offset++) rowOf[length++] = rows.first + offset;
  }
  copyUntil(at, layout.rowOf.length);
  return withoutUnused({ segments, segmentOf: segmentOf.slice(0, length), rowOf: rowOf.slice(0, length) });
}

/** Removes segments that have no row in the layout. */
function withoutUnused(layout: Layout): Layout {
  const used = new Set(layout.segmentOf);
  if (used.size === layout.segments.length) return layout;
  const kept = [...used].toSorted((a, b) => a - b);
  const numbers = new Map(kept.map((old, number) => [old, number]));
  return {
    segments: kept.map((old) => layout.segments[old] as Segment),
    segmentOf: layout.segmentOf.map((old) => numbers.get(old) as number),
    rowOf: layout.rowOf,
  };
}

/** Returns the share of the segments' memory that does not belong to any row of the layout. */
export function wastedShare(layout: Layout): number {
  const held = layout.segments.reduce((bytes, segment) => bytes + segment.bytes, 0);
  let used = 0;
  for (let position = 0; position < layout.rowOf.length; position++) {
    used += segmentAt(layout, position).heldSize(layout.rowOf[position] as number);
  }
  return held === 0 ? 0 : 1 - used / held;
}
