import { registryTypeFacet, transportFacet } from '#domain/server-facets.js';
import type { ListFilter } from './cursor.js';
import { NOWHERE, positionsIn, segmentAt } from './layout.js';
import type { Layout } from './layout.js';
import { BitSet } from './bit-set.js';
import { facetTerm, tagTerm } from './segment-builder.js';
import type { Selections } from './selections.js';

/** One value that entries can be filtered by, with the number of entries that have it. */
export interface FacetCount {
  readonly value: string;
  readonly count: number;
}

export interface FacetCounts {
  /** The number of entries that pass the whole filter. */
  readonly total: number;
  /** The largest counts of each facet, by parameter of the list, in descending order. */
  readonly facets: Readonly<Record<string, readonly FacetCount[]>>;
  /** For facets that were cut: the sum of the counts that are not listed. */
  readonly otherCount?: Readonly<Record<string, number>>;
}

/** Values that are listed of each facet. */
export const MAX_FACET_VALUES = 50;

interface Facet {
  /** Parameter of the list. */
  readonly name: string;
  /** The fields of a filter that restrict this facet. */
  readonly fields: readonly (keyof ListFilter)[];
  /** Counts the values among the entries that pass a filter without these fields. */
  count(counting: FacetCounting, filter: ListFilter): Map<string, number>;
}

/** A facet whose values are the terms with one prefix. */
const byTerm = (name: string, fields: Facet['fields'], prefix: string): Facet => ({
  name,
  fields,
  count: (counting, filter) => counting.countTerms(prefix, filter),
});

/** A facet whose values are the possible values of one field of the filter. */
const byField = <Field extends keyof ListFilter>(
  name: string,
  field: Field,
  values: readonly NonNullable<ListFilter[Field]>[],
): Facet => ({
  name,
  fields: [field],
  count: (counting, filter) =>
    new Map(values.map((value) => [String(value), counting.countFiltered({ ...filter, [field]: value })])),
});

/** The facets of the console; a further one is one more line. */
const FACETS: readonly Facet[] = [
  {
    name: 'source',
    fields: ['sources'],
    count: (counting, filter) => counting.countSources(filter),
  },
  byField('status', 'status', ['active', 'deprecated']),
  byTerm('transport', ['transports'], facetTerm(transportFacet(''))),
  byTerm('registry_type', ['registryTypes'], facetTerm(registryTypeFacet(''))),
  byTerm('tag', ['tags', 'tagsAny'], tagTerm('')),
  byField('remote', 'remote', ['true', 'only', 'false']),
  byField('needs_secret', 'needsSecret', [true, false]),
];

/**
 * Counts the entries of a list by each facet. Each facet is counted without its own fields of the filter, so that every
 * value shows what choosing it instead, or as well, would lead to.
 */
export function countFacets(
  layout: Layout,
  selections: Selections,
  sources: ReadonlyMap<string, number>,
  filter: ListFilter,
): FacetCounts {
  const counting = new FacetCounting(layout, selections, sources);
  const facets: Record<string, readonly FacetCount[]> = {};
  const otherCount: Record<string, number> = {};
  for (const facet of FACETS) {
    const ranked = rankCounts(facet.count(counting, without(filter, facet.fields)));
    facets[facet.name] = ranked.slice(0, MAX_FACET_VALUES);
    const others = ranked.slice(MAX_FACET_VALUES).reduce((sum, { count }) => sum + count, 0);
    if (others > 0) otherCount[facet.name] = others;
  }
  const total = selections.of(filter).length;
  return { total, facets, ...(Object.keys(otherCount).length > 0 && { otherCount }) };
}

function without(filter: ListFilter, fields: readonly (keyof ListFilter)[]): ListFilter {
  const kept = Object.entries(filter).filter(([field]) => !fields.includes(field as keyof ListFilter));
  return Object.fromEntries(kept) as ListFilter;
}

/** Returns counts above zero, the largest first, and equal ones in text order. */
export function rankCounts(counts: ReadonlyMap<string, number>): FacetCount[] {
  return Array.from(counts, ([value, count]) => ({ value, count }))
    .filter(({ count }) => count > 0)
    .toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
}

/** Counts the selected positions by their terms with a prefix, by the rest of the term. */
export function countTerms(layout: Layout, selected: BitSet, prefix: string): Map<string, number> {
  const counts = new Map<string, number>();
  layout.segments.forEach(({ columns }, index) => {
    const positions = positionsIn(layout)[index] as Uint32Array;
    for (const [term, rows] of columns.terms.entries(prefix)) {
      let count = 0;
      for (const row of rows) {
        const position = positions[row] as number;
        if (position !== NOWHERE && selected.has(position)) count++;
      }
      const value = term.slice(prefix.length);
      counts.set(value, (counts.get(value) ?? 0) + count);
    }
  });
  return counts;
}

/** Counts over one layout; sets of selected positions are kept while one answer is made. */
class FacetCounting {
  readonly #selected = new Map<Uint32Array, BitSet>();

  constructor(
    private readonly layout: Layout,
    private readonly selections: Selections,
    private readonly sources: ReadonlyMap<string, number>,
  ) {}

  countFiltered(filter: ListFilter): number {
    return this.selections.of(filter).length;
  }

  /** Walks the posting lists of the terms with a prefix, by the rest of the term. */
  countTerms(prefix: string, filter: ListFilter): Map<string, number> {
    return countTerms(this.layout, this.#setOf(this.selections.of(filter)), prefix);
  }

  countSources(filter: ListFilter): Map<string, number> {
    const counts = new Map<number, number>();
    for (const position of this.selections.of(filter)) {
      const { sourceId } = segmentAt(this.layout, position);
      counts.set(sourceId, (counts.get(sourceId) ?? 0) + 1);
    }
    return new Map(Array.from(this.sources, ([name, id]) => [name, counts.get(id) ?? 0]));
  }

  #setOf(positions: Uint32Array): BitSet {
    const known = this.#selected.get(positions);
    if (known) return known;
    const set = BitSet.of(this.layout.rowOf.length, positions);
    this.#selected.set(positions, set);
    return set;
  }
}
