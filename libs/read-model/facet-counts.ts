import { registryTypeFacet, transportFacet } from '#domain/server-facets.js';
import type { ListFilter } from './cursor.js';
import { NOWHERE, positionsIn, segmentAt } from './layout.js';
import type { Layout } from './layout.js';
import type { Segment } from './segment.js';
import { BitSet } from './bit-set.js';
import { facetTerm, tagTerm } from './segment-builder.js';
import type { Pacer } from './pacer.js';
import type { Selections } from './selections.js';
import { TopCounts } from './top-counts.js';
import type { FacetCount } from './top-counts.js';

export interface FacetCounts {
  /** Number of entries that pass the whole filter. */
  readonly total: number;
  /** The highest counts of each facet in descending order, by list parameter. */
  readonly facets: Readonly<Record<string, readonly FacetCount[]>>;
  /** Sum of the counts that were left out, by list parameter. */
  readonly otherCount?: Readonly<Record<string, number>>;
}

/** Maximum number of values that are listed for each facet. */
export const MAX_FACET_VALUES = 50;

interface Facet {
  /** The list parameter that filters by this facet. */
  readonly name: string;
  /** The filter fields that restrict this facet. */
  readonly fields: readonly (keyof ListFilter)[];
  /** Counts the values among the entries that pass a filter without these fields. */
  count(counting: FacetCounting, filter: ListFilter, counts: TopCounts): void | Promise<void>;
}

/** Returns a facet whose values are the terms with a common prefix. */
const byTerm = (name: string, fields: Facet['fields'], prefix: string): Facet => ({
  name,
  fields,
  count: (counting, filter, counts) => counting.countTerms(prefix, filter, counts),
});

/** Returns a facet whose values are the possible values of one filter field. */
const byField = <Field extends keyof ListFilter>(
  name: string,
  field: Field,
  values: readonly NonNullable<ListFilter[Field]>[],
): Facet => ({
  name,
  fields: [field],
  count(counting, filter, counts) {
    for (const value of values) counts.add(String(value), counting.countFiltered({ ...filter, [field]: value }));
  },
});

/** The facets of the console. To add one, add a line here. */
const FACETS: readonly Facet[] = [
  {
    name: 'source',
    fields: ['sources'],
    count: (counting, filter, counts) => counting.countSources(filter, counts),
  },
  byField('status', 'status', ['active', 'deprecated']),
  byTerm('transport', ['transports'], facetTerm(transportFacet(''))),
  byTerm('registry_type', ['registryTypes'], facetTerm(registryTypeFacet(''))),
  byTerm('tag', ['tags', 'tagsAny'], tagTerm('')),
  byField('remote', 'remote', ['true', 'only', 'false']),
  byField('needs_secret', 'needsSecret', [true, false]),
];

/**
 * Counts the entries of a list by each facet. A facet's own filter fields are ignored when it is counted, so that the
 * count of a value is the number of entries that have it and pass all other filters.
 */
export async function countFacets(
  layout: Layout,
  selections: Selections,
  sources: ReadonlyMap<string, number>,
  filter: ListFilter,
  pacer: Pacer,
): Promise<FacetCounts> {
  const counting = new FacetCounting(layout, selections, sources, pacer);
  const facets: Record<string, readonly FacetCount[]> = {};
  const otherCount: Record<string, number> = {};
  for (const facet of FACETS) {
    const counts = new TopCounts(MAX_FACET_VALUES);
    await pacer.rest();
    await facet.count(counting, without(filter, facet.fields), counts);
    facets[facet.name] = counts.top;
    if (counts.otherCount > 0) otherCount[facet.name] = counts.otherCount;
  }
  const total = selections.of(filter).length;
  return { total, facets, ...(Object.keys(otherCount).length > 0 && { otherCount }) };
}

function without(filter: ListFilter, fields: readonly (keyof ListFilter)[]): ListFilter {
  const kept = Object.entries(filter).filter(([field]) => !fields.includes(field as keyof ListFilter));
  return Object.fromEntries(kept) as ListFilter;
}

/** Number of postings and terms that are counted between two calls of the pacer. */
const SHARE = 2048;

/**
 * Counts the selected positions by their terms with a prefix. The key of a count is the rest of the term. Yields to
 * other requests in between.
 */
export async function countTerms(
  layout: Layout,
  selected: BitSet,
  prefix: string,
  counts: TopCounts,
  pacer: Pacer,
): Promise<void> {
  const lists = layout.segments.map(({ columns }) => columns.terms);
  let done = 0;
  for (const [number, list] of lists.entries()) {
    for (const term of list.terms(prefix)) {
      // A term that occurs in several segments is counted once, in the first of them.
      const isCounted = lists.slice(0, number).some((earlier) => earlier.has(term));
      if (!isCounted) counts.add(term.slice(prefix.length), countTerm(layout, selected, term, number));
      done += 1 + list.rowsOf(term).length;
      if (done < SHARE) continue;
      done = 0;
      await pacer.rest();
    }
  }
}

/** Counts the selected positions with a term, in the segments starting at `from`. */
export function countTerm(layout: Layout, selected: BitSet, term: string, from = 0): number {
  let count = 0;
  for (let number = from; number < layout.segments.length; number++) {
    const positions = positionsIn(layout)[number] as Uint32Array;
    for (const row of (layout.segments[number] as Segment).columns.terms.rowsOf(term)) {
      const position = positions[row] as number;
      if (position !== NOWHERE && selected.has(position)) count++;
    }
  }
  return count;
}

/** Counts entries of one layout. Caches sets of selected positions while one response is composed. */
class FacetCounting {
  readonly #selected = new Map<Uint32Array, BitSet>();

  constructor(
    private readonly layout: Layout,
    private readonly selections: Selections,
    private readonly sources: ReadonlyMap<string, number>,
    private readonly pacer: Pacer,
  ) {}

  countFiltered(filter: ListFilter): number {
    return this.selections.of(filter).length;
  }

  /** Counts the selected entries by their terms with a prefix, using the posting lists of these terms. */
  countTerms(prefix: string, filter: ListFilter, counts: TopCounts): Promise<void> {
    return countTerms(this.layout, this.#setOf(this.selections.of(filter)), prefix, counts, this.pacer);
  }

  countSources(filter: ListFilter, into: TopCounts): void {
    const counts = new Map<number, number>();
    for (const position of this.selections.of(filter)) {
      const { sourceId } = segmentAt(this.layout, position);
      counts.set(sourceId, (counts.get(sourceId) ?? 0) + 1);
    }
    for (const [name, id] of this.sources) into.add(name, counts.get(id) ?? 0);
  }

  #setOf(positions: Uint32Array): BitSet {
    const known = this.#selected.get(positions);
    if (known) return known;
    const set = BitSet.of(this.layout.rowOf.length, positions);
    this.#selected.set(positions, set);
    return set;
  }
}
