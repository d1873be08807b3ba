import { compareCodePoints } from '#domain/code-point-order.js';
import { registryTypeFacet, REMOTE, toolFacet, transportFacet } from '#domain/server-facets.js';
import { toPublisher } from '#domain/ard/identifier.js';
import { SERVER_TYPE } from '#domain/ard/ard-entry.js';
import { BitSet } from './bit-set.js';
import type { Answer } from './answer.js';
import { composeList, rangesOf } from './compose-body.js';
import { countTerm, countTerms } from './facet-counts.js';
import { nameAt, segmentAt } from './layout.js';
import type { Layout } from './layout.js';
import type { Pacer } from './pacer.js';
import { facetTerm, statusTerm, tagTerm } from './segment-builder.js';
import type { StoredBodies } from './stored-bodies.js';
import type { TopCounts } from './top-counts.js';

/** One server in a search result. */
export interface Finding {
  readonly name: string;
  /** Relevance for the search text, at most 100. It is 100 if there was no text. */
  readonly score: number;
  /** Name of the source from which the server comes. */
  readonly source: string | undefined;
}

/** The position of a finding in the order of its list. */
export type FindingPlace = Pick<Finding, 'name' | 'score'>;

/** The state that findings are read from. */
export interface FindingsOrigin {
  readonly layout: Layout;
  readonly sources: ReadonlyMap<string, number>;
  readonly bodies: StoredBodies | undefined;
}

/** Number of findings that are counted between two calls of the pacer. */
const PACED_FINDINGS = 256;

/**
 * The latest versions of the servers that match a query, sorted by descending score and then by name in code point
 * order.
 */
export class Findings {
  readonly #origin: FindingsOrigin;
  readonly #positions: Uint32Array;
  readonly #scores: Uint8Array | undefined;
  #selected: BitSet | undefined;

  constructor(origin: FindingsOrigin, positions: Uint32Array, scores?: Uint8Array) {
    this.#origin = origin;
    this.#positions = positions;
    this.#scores = scores;
  }

  get size(): number {
    return this.#positions.length;
  }

  at(index: number): Finding {
    const { layout, sources } = this.#origin;
    const position = this.#positions[index] as number;
    const { sourceId } = segmentAt(layout, position);
    const source = Array.from(sources).find(([, id]) => id === sourceId)?.[0];
    return { name: nameAt(layout, position), score: this.#scoreAt(index), source };
  }

  /**
   * Returns the index of the first finding after a place, using binary search. The finding at that place may no longer
   * exist.
   */
  firstAfter({ score, name }: FindingPlace): number {
    const { layout } = this.#origin;
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const each = this.#scoreAt(middle);
      const isBehind =
        each < score ||
        (each === score && compareCodePoints(nameAt(layout, this.#positions[middle] as number), name) > 0);
      if (isBehind) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /**
   * Returns the documents of the findings starting at an index: at most `limit`, and at most `maxBytes` except that the
   * first is always included.
   */
  documents(from: number, limit: number, maxBytes: number): { readonly answer: Answer; readonly count: number } {
    const { layout, bodies } = this.#origin;
    let count = 0;
    for (let bytes = 0; count < limit && from + count < this.size; count++) {
      const position = this.#positions[from + count] as number;
      bytes += segmentAt(layout, position).size(layout.rowOf[position] as number);
      if (bytes > maxBytes && count > 0) break;
    }
    const ranges = rangesOf(layout, this.#positions.subarray(from, from + count));
    return { answer: { compose: () => composeList(ranges, undefined, bodies) }, count };
  }

  /**
   * Counts the findings by a field of their entries. Adds nothing for a field that cannot be counted. Yields to other
   * requests in between.
   */
  async count(field: string, counts: TopCounts, pacer: Pacer): Promise<void> {
    await pacer.rest();
    await COUNTED.get(field)?.(this, counts, pacer);
    await pacer.rest();
  }

  countTerms(prefix: string, counts: TopCounts, pacer: Pacer): Promise<void> {
    return countTerms(this.#origin.layout, this.#set, prefix, counts, pacer);
  }

  /** Counts how many findings have a term and how many do not. */
  countWith(term: string, [having, lacking]: readonly [string, string], counts: TopCounts): void {
    const count = countTerm(this.#origin.layout, this.#set, term);
    counts.add(having, count);
    counts.add(lacking, this.size - count);
  }

  /** Counts the findings by a value that is computed for each of them. */
  async countBy(toValue: (position: number) => string | undefined, into: TopCounts, pacer: Pacer): Promise<void> {
    const counts = new Map<string, number>();
    for (const [index, position] of this.#positions.entries()) {
      if (index % PACED_FINDINGS === 0) await pacer.rest();
      const value = toValue(position);
      if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    let added = 0;
    for (const [value, count] of counts) {
      if (added++ % PACED_FINDINGS === 0) await pacer.rest();
      into.add(value, count);
    }
  }

  countPublishers(counts: TopCounts, pacer: Pacer): Promise<void> {
    const { layout } = this.#origin;
    const known = new Map<string, string | undefined>();
    const publisher = (position: number): string | undefined => {
      const name = nameAt(layout, position);
      const namespace = name.slice(0, Math.max(0, name.indexOf('/')));
      if (!known.has(namespace)) known.set(namespace, toPublisher(namespace)?.toLowerCase());
      return known.get(namespace);
    };
    return this.countBy(publisher, counts, pacer);
  }

  countVersions(counts: TopCounts, pacer: Pacer): Promise<void> {
    const { layout } = this.#origin;
    return this.countBy((at) => segmentAt(layout, at).version(layout.rowOf[at] as number), counts, pacer);
  }

  countSources(counts: TopCounts, pacer: Pacer): Promise<void> {
    const { layout, sources } = this.#origin;
    const names = new Map(Array.from(sources, ([name, id]) => [id, name]));
    return this.countBy((at) => names.get(segmentAt(layout, at).sourceId), counts, pacer);
  }

  get #set(): BitSet {
    return (this.#selected ??= BitSet.of(this.#origin.layout.rowOf.length, this.#positions));
  }

  #scoreAt(index: number): number {
    return this.#scores?.[index] ?? 100;
  }
}

type CountField = (findings: Findings, counts: TopCounts, pacer: Pacer) => void | Promise<void>;

const byTerm =
  (prefix: string): CountField =>
  (findings, counts, pacer) =>
    findings.countTerms(prefix, counts, pacer);

/** The fields of an entry that can be counted. */
const COUNTED: ReadonlyMap<string, CountField> = new Map<string, CountField>([
  ['type', (findings, counts) => counts.add(SERVER_TYPE, findings.size)],
  ['tags', byTerm(tagTerm(''))],
  ['capabilities', byTerm(facetTerm(toolFacet('')))],
  ['publisher', (findings, counts, pacer) => findings.countPublishers(counts, pacer)],
  ['version', (findings, counts, pacer) => findings.countVersions(counts, pacer)],
  [
    'metadata.status',
    (findings, counts) => findings.countWith(statusTerm('deprecated'), ['deprecated', 'active'], counts),
  ],
  ['metadata.remote', (findings, counts) => findings.countWith(facetTerm(REMOTE), ['true', 'false'], counts)],
  ['metadata.transports', byTerm(facetTerm(transportFacet('')))],
  ['metadata.packageTypes', byTerm(facetTerm(registryTypeFacet('')))],
  ['metadata.source', (findings, counts, pacer) => findings.countSources(counts, pacer)],
]);
