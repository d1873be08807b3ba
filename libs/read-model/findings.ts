import { compareCodePoints } from '#domain/code-point-order.js';
import { registryTypeFacet, REMOTE, toolFacet, transportFacet } from '#domain/server-facets.js';
import { toPublisher } from '#domain/ard/identifier.js';
import { SERVER_TYPE } from '#domain/ard/ard-entry.js';
import { BitSet } from './bit-set.js';
import type { Answer } from './answer.js';
import { composeList, rangesOf } from './compose-body.js';
import { countTerms, rankCounts } from './facet-counts.js';
import type { FacetCount } from './facet-counts.js';
import { nameAt, segmentAt } from './layout.js';
import type { Layout } from './layout.js';
import type { Pacer } from './pacer.js';
import { facetTerm, statusTerm, tagTerm } from './segment-builder.js';
import type { StoredBodies } from './stored-bodies.js';

/** One server that was found. */
export interface Finding {
  readonly name: string;
  /** How well it fits the text that was searched for, up to 100; 100 where there was none. */
  readonly score: number;
  /** The name of the source that serves it. */
  readonly source: string | undefined;
}

/** The place of a finding in the order of its list. */
export type FindingPlace = Pick<Finding, 'name' | 'score'>;

/** Where findings come from. */
export interface FindingsOrigin {
  readonly layout: Layout;
  readonly sources: ReadonlyMap<string, number>;
  readonly bodies: StoredBodies | undefined;
}

/** Findings that are counted between two looks at the clock. */
const PACED_FINDINGS = 256;

/** The latest versions of the servers that a query finds, the best first and then in text order of their names. */
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

  /** Returns the index of the first finding behind a place, which need not exist any more, by binary search. */
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

  /** The documents of the findings from an index on: at most `limit`, and no more than `maxBytes` but for the first. */
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
   * Counts the findings by a field of their entries, the largest count first; undefined for a field that has no counts. Other
   * requests are served in between.
   */
  async count(field: string, pacer: Pacer): Promise<readonly FacetCount[] | undefined> {
    await pacer.rest();
    const counts = await COUNTED.get(field)?.(this, pacer);
    await pacer.rest();
    return counts && rankCounts(counts);
  }

  countTerms(prefix: string): Map<string, number> {
    this.#selected ??= BitSet.of(this.#origin.layout.rowOf.length, this.#positions);
    return countTerms(this.#origin.layout, this.#selected, prefix);
  }

  /** Counts the findings by whether they have a term. */
  countWith(term: string, values: readonly [having: string, lacking: string]): Map<string, number> {
    const having = this.countTerms(term).get('') ?? 0;
    return new Map([
      [values[0], having],
      [values[1], this.size - having],
    ]);
  }

  /** Counts the findings by a value of each. */
  async countBy(toValue: (position: number) => string | undefined, pacer: Pacer): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const [index, position] of this.#positions.entries()) {
      if (index % PACED_FINDINGS === 0) await pacer.rest();
      const value = toValue(position);
      if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    return counts;
  }

  countPublishers(pacer: Pacer): Promise<Map<string, number>> {
    const { layout } = this.#origin;
    const known = new Map<string, string | undefined>();
    const publisher = (position: number): string | undefined => {
      const name = nameAt(layout, position);
      const namespace = name.slice(0, Math.max(0, name.indexOf('/')));
      if (!known.has(namespace)) known.set(namespace, toPublisher(namespace)?.toLowerCase());
      return known.get(namespace);
    };
    return this.countBy(publisher, pacer);
  }

  countVersions(pacer: Pacer): Promise<Map<string, number>> {
    const { layout } = this.#origin;
    return this.countBy((at) => segmentAt(layout, at).version(layout.rowOf[at] as number), pacer);
  }

  countSources(pacer: Pacer): Promise<Map<string, number>> {
    const { layout, sources } = this.#origin;
    const names = new Map(Array.from(sources, ([name, id]) => [id, name]));
    return this.countBy((at) => names.get(segmentAt(layout, at).sourceId), pacer);
  }

  #scoreAt(index: number): number {
    return this.#scores?.[index] ?? 100;
  }
}

type CountField = (findings: Findings, pacer: Pacer) => Map<string, number> | Promise<Map<string, number>>;

/** How each field of an entry is counted. */
const COUNTED: ReadonlyMap<string, CountField> = new Map<string, CountField>([
  ['type', (findings) => new Map([[SERVER_TYPE, findings.size]])],
  ['tags', (findings) => findings.countTerms(tagTerm(''))],
  ['capabilities', (findings) => findings.countTerms(facetTerm(toolFacet('')))],
  ['publisher', (findings, pacer) => findings.countPublishers(pacer)],
  ['version', (findings, pacer) => findings.countVersions(pacer)],
  ['metadata.status', (findings) => findings.countWith(statusTerm('deprecated'), ['deprecated', 'active'])],
  ['metadata.remote', (findings) => findings.countWith(facetTerm(REMOTE), ['true', 'false'])],
  ['metadata.transports', (findings) => findings.countTerms(facetTerm(transportFacet('')))],
  ['metadata.packageTypes', (findings) => findings.countTerms(facetTerm(registryTypeFacet('')))],
  ['metadata.source', (findings, pacer) => findings.countSources(pacer)],
]);
