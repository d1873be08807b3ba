import type { Body, Composition } from './answer.js';
import { segmentAt } from './layout.js';
import type { Layout } from './layout.js';
import { COLD } from './segment.js';
import type { Segment } from './segment.js';
import type { BodyRequest, StoredBodies } from './stored-bodies.js';

const LIST_HEAD = Buffer.from('{"servers":[');
const EMPTY_LIST = Buffer.from('{"servers":[],"metadata":{"count":0}}');
const ENTRY_HEAD = Buffer.from('{"server":');

/** A range of rows that are contiguous in memory. */
export interface RowRange {
  readonly segment: Segment;
  readonly first: number;
  readonly last: number;
}

/** Groups entries into ranges, so that adjacent entries are sent as one part. */
export function rangesOf(layout: Layout, positions: Uint32Array): RowRange[] {
  const { segmentOf, rowOf } = layout;
  const ranges: RowRange[] = [];
  for (let at = 0; at < positions.length;) {
    const position = positions[at] as number;
    const segment = segmentAt(layout, position);
    const first = rowOf[position] as number;
    let last = first;
    for (at++; at < positions.length; at++) {
      const next = positions[at] as number;
      if (rowOf[next] !== last + 1 || segmentOf[next] !== segmentOf[position]) break;
      if (!segment.isJoined(last) || segment.has(first, COLD) || segment.has(last + 1, COLD)) break;
      last++;
    }
    ranges.push({ segment, first, last });
  }
  return ranges;
}

/** Composes a ServerList of the generic registry API. */
export function composeList(
  ranges: readonly RowRange[],
  nextCursor: string | undefined,
  bodies: StoredBodies | undefined,
): Composition {
  if (ranges.length === 0) return { partCount: 1, fetchedBytes: 0, body: () => [EMPTY_LIST] };
  const count = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const tail = (nextCursor === undefined && LAST_TAILS[count]) || toTail(count, nextCursor);
  return withDocuments(ranges, bodies, (parts) => [LIST_HEAD, ...parts, tail]);
}

function toTail(count: number, nextCursor?: string): Buffer {
  // A cursor consists of characters that need no escaping.
  const cursor = nextCursor === undefined ? '' : `,"nextCursor":"${nextCursor}"`;
  return Buffer.from(`],"metadata":{"count":${count}${cursor}}}`);
}

/** Precomputed tails of short lists without another page, because most lists of versions are short. */
const LAST_TAILS = Array.from({ length: 16 }, (_, count) => toTail(count));

/** Composes a ServerResponse of the generic registry API. */
export function composeEntry(segment: Segment, row: number, bodies: StoredBodies | undefined): Composition {
  return withDocuments([{ segment, first: row, last: row }], bodies, (parts) => parts);
}

function withDocuments(
  ranges: readonly RowRange[],
  bodies: StoredBodies | undefined,
  wrap: (parts: Body) => Body,
): Composition {
  const cold = ranges.filter(isCold);
  const fetchedBytes = cold.reduce((bytes, { segment, first }) => bytes + segment.documentBytes(first), 0);
  const partCount = ranges.length + 2 * cold.length + 2;
  if (cold.length === 0) return { partCount, fetchedBytes, body: () => wrap(toParts(ranges, [])) };
  if (!bodies) throw new Error('a document is neither in memory nor stored');
  const body = () => bodies.fetch(cold.map(toRequest)).then((documents) => wrap(toParts(ranges, documents)));
  return { partCount, fetchedBytes, body };
}

function isCold({ segment, first }: RowRange): boolean {
  return segment.has(first, COLD);
}

function toRequest({ segment, first }: RowRange): BodyRequest {
  const { sourceId } = segment;
  const [name, version, changedAtMs] = [segment.name(first), segment.version(first), segment.changedAtMs(first)];
  return { sourceId, name, version, changedAtMs };
}

/**
 * Returns the parts of a list. Every entry but the last is followed by a comma. `documents` are those of the cold
 * entries, in order.
 */
function toParts(ranges: readonly RowRange[], documents: readonly Buffer[]): Buffer[] {
  const parts: Buffer[] = [];
  let fetched = 0;
  for (let at = 0; at < ranges.length; at++) {
    const range = ranges[at] as RowRange;
    if (isCold(range)) parts.push(ENTRY_HEAD, documents[fetched++] as Buffer);
    parts.push(range.segment.slice(range.first, range.last, at < ranges.length - 1));
  }
  return parts;
}
