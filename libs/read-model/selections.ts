import { toPublisher } from '#domain/ard/identifier.js';
import { PACKAGE, registryTypeFacet, REMOTE, SECRET_FREE, toolFacet, transportFacet } from '#domain/server-facets.js';
import type { ListFilter } from './cursor.js';
import { READ_MODEL_LIMITS } from './limits.js';
import { foldCase } from './fold-case.js';
import { nameAt, NOWHERE, positionsIn, segmentAt } from './layout.js';
import type { Layout } from './layout.js';
import { BitSet } from './bit-set.js';
import { facetTerm, statusTerm, tagTerm } from './segment-builder.js';
import { DELETED, LATEST, UNADDRESSABLE } from './segment.js';

/** Selects the entries of a layout that pass a filter, in the order of the layout. Caches recent selections (LRU). */
export class Selections {
  readonly #layout: Layout;
  readonly #sources: ReadonlyMap<string, number>;
  readonly #kept = new Map<string, Uint32Array>();
  #keptPositions = 0;
  #deleted: BitSet | undefined;
  #latest: BitSet | undefined;
  #unaddressable: BitSet | undefined;

  /** `sources` are the sources of the layout by name. */
  constructor(layout: Layout, sources: ReadonlyMap<string, number>) {
    this.#layout = layout;
    this.#sources = sources;
  }

  /** Returns whether the selection of a filter is cached. */
  has(filter: ListFilter): boolean {
    return this.#kept.has(JSON.stringify(filter));
  }

  of(filter: ListFilter): Uint32Array {
    const { keptPositions, keptSelections } = READ_MODEL_LIMITS;
    const key = JSON.stringify(filter);
    let selected = this.#kept.get(key);
    if (selected) this.#kept.delete(key);
    else this.#keptPositions += (selected = this.#select(filter)).length + key.length;
    // The most recently used selection is last in the map.
    this.#kept.set(key, selected);
    for (const [oldest, positions] of this.#kept) {
      const isEnough = this.#keptPositions <= keptPositions && this.#kept.size <= keptSelections;
      if (isEnough || oldest === key) break;
      this.#kept.delete(oldest);
      this.#keptPositions -= positions.length + oldest.length;
    }
    return selected;
  }

  #select(filter: ListFilter): Uint32Array {
    const { search = '', version, updatedSinceMs, includeDeleted, status } = filter;
    const wanted = this.#everything();
    if (!includeDeleted || status !== undefined) wanted.remove((this.#deleted ??= this.#flagged(DELETED)));
    if (version === 'latest') wanted.keep((this.#latest ??= this.#flagged(LATEST)));
    if (status === 'active') wanted.remove(this.#withTerms([statusTerm('deprecated')]));
    if (status === 'deprecated') wanted.keep(this.#withTerms([statusTerm('deprecated')]));
    this.#keepTerms(wanted, filter);
    this.#keepWays(wanted, filter);
    if (search !== '') wanted.keep(this.#holding(search));
    if (filter.isAddressable) wanted.remove((this.#unaddressable ??= this.#flagged(UNADDRESSABLE)));

    const positions = this.#identified(wanted.toArray(), filter);
    const exact = version === 'latest' ? undefined : version;
    if (exact === undefined && updatedSinceMs === undefined) return positions;
    return positions.filter((position) => {
      const segment = segmentAt(this.#layout, position);
      const row = this.#layout.rowOf[position] as number;
      return (
        (exact === undefined || segment.version(row) === exact) &&
        (updatedSinceMs === undefined || segment.changedAtMs(row) > updatedSinceMs)
      );
    });
  }

  /** Keeps only the positions with certain names, versions, publishers or display names. */
  #identified(positions: Uint32Array, { names, versions, publishers, displayNames }: ListFilter): Uint32Array {
    const checks: ((position: number) => boolean)[] = [];
    const at = (position: number) => this.#layout.rowOf[position] as number;
    if (names)
      checks.push(
        (
          (set) => (position) =>
            set.has(nameAt(this.#layout, position))
        )(new Set(names)),
      );
    if (versions) {
      const set = new Set(versions);
      checks.push((position) => set.has(segmentAt(this.#layout, position).version(at(position))));
    }
    if (publishers) {
      const namespaces = new Set(publishers.flatMap((publisher) => toPublisher(publisher) ?? []));
      checks.push((position) => namespaces.has(namespaceOf(nameAt(this.#layout, position))));
    }
    if (displayNames) {
      const texts = displayNames.map(foldCase);
      checks.push((position) => {
        const { leaf, title } = segmentAt(this.#layout, position).displayTexts(at(position));
        return texts.some((text) => leaf.includes(text) || title.includes(text));
      });
    }
    return checks.length === 0 ? positions : positions.filter((position) => checks.every((check) => check(position)));
  }

  #keepTerms(wanted: BitSet, { tags = [], tagsAny, tools, transports, registryTypes, sources }: ListFilter): void {
    for (const tag of tags) wanted.keep(this.#withTerms([tagTerm(tag)]));
    if (tagsAny) wanted.keep(this.#withTerms(tagsAny.map(tagTerm)));
    if (tools) wanted.keep(this.#withTerms(tools.map((tool) => facetTerm(toolFacet(tool)))));
    if (transports) wanted.keep(this.#withTerms(transports.map((type) => facetTerm(transportFacet(type)))));
    if (registryTypes) wanted.keep(this.#withTerms(registryTypes.map((type) => facetTerm(registryTypeFacet(type)))));
    if (sources) wanted.keep(this.#ofSources(sources));
  }

  #keepWays(wanted: BitSet, { remote, needsSecret }: ListFilter): void {
    if (remote === 'true' || remote === 'only') wanted.keep(this.#withFacet(REMOTE));
    if (remote === 'false') wanted.remove(this.#withFacet(REMOTE));
    if (remote === 'only') wanted.remove(this.#withFacet(PACKAGE));
    if (needsSecret === false) wanted.keep(this.#withFacet(SECRET_FREE));
    if (needsSecret === true) wanted.remove(this.#withFacet(SECRET_FREE));
  }

  #everything(): BitSet {
    return BitSet.full(this.#layout.rowOf.length);
  }

  #flagged(flag: number): BitSet {
    const found = new BitSet(this.#layout.rowOf.length);
    const { rowOf } = this.#layout;
    for (let position = 0; position < rowOf.length; position++) {
      if (segmentAt(this.#layout, position).has(rowOf[position] as number, flag)) found.add(position);
    }
    return found;
  }

  #withFacet(facet: string): BitSet {
    return this.#withTerms([facetTerm(facet)]);
  }

  /** Returns the entries with at least one of the terms. */
  #withTerms(terms: readonly string[]): BitSet {
    const found = new BitSet(this.#layout.rowOf.length);
    this.#layout.segments.forEach(({ columns }, segment) => {
      for (const term of terms) for (const row of columns.terms.rowsOf(term)) this.#add(found, segment, row);
    });
    return found;
  }

  #ofSources(names: readonly string[]): BitSet {
    const ids = new Set(names.flatMap((name) => this.#sources.get(name) ?? []));
    const found = new BitSet(this.#layout.rowOf.length);
    const isWanted = this.#layout.segments.map(({ sourceId }) => ids.has(sourceId));
    this.#layout.segmentOf.forEach((segment, position) => void (isWanted[segment] && found.add(position)));
    return found;
  }

  #holding(text: string): BitSet {
    const found = new BitSet(this.#layout.rowOf.length);
    this.#layout.segments.forEach((each, segment) => each.search(text, (row) => this.#add(found, segment, row)));
    return found;
  }

  /**
   * Adds the position of a row. Rows that were replaced are still in their segment but not in the layout, so they are
   * skipped.
   */
  #add(found: BitSet, segment: number, row: number): void {
    const position = (positionsIn(this.#layout)[segment] as Uint32Array)[row] as number;
    if (position !== NOWHERE) found.add(position);
  }
}

function namespaceOf(name: string): string {
  return name.slice(0, name.indexOf('/')).toLowerCase();
}
