import { PACKAGE, registryTypeFacet, REMOTE, SECRET_FREE, transportFacet } from '#domain/server-facets.js';
import type { ListFilter } from './cursor.js';
import { NOWHERE, positionsIn, segmentAt } from './layout.js';
import type { Layout } from './layout.js';
import { PositionSet } from './position-set.js';
import { facetTerm, tagTerm } from './segment-builder.js';
import { DELETED, LATEST } from './segment.js';

/** Positions that are kept of lists that were asked for, over all lists of one layout: pages follow pages. */
const KEPT_POSITIONS = 1_000_000;
/** Lists that nothing is in take memory too. */
const KEPT_LISTS = 1_000;

/** Which entries of a layout pass a filter, in the order of the layout. */
export class Selections {
  readonly #layout: Layout;
  readonly #kept = new Map<string, Uint32Array>();
  #keptPositions = 0;
  #deleted: PositionSet | undefined;
  #latest: PositionSet | undefined;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  of(filter: ListFilter): Uint32Array {
    const key = JSON.stringify(filter);
    let selected = this.#kept.get(key);
    if (selected) this.#kept.delete(key);
    else this.#keptPositions += (selected = this.#select(filter)).length;
    // The one that was used last stands last.
    this.#kept.set(key, selected);
    for (const [oldest, positions] of this.#kept) {
      const isEnough = this.#keptPositions <= KEPT_POSITIONS && this.#kept.size <= KEPT_LISTS;
      if (isEnough || oldest === key) break;
      this.#kept.delete(oldest);
      this.#keptPositions -= positions.length;
    }
    return selected;
  }

  #select(filter: ListFilter): Uint32Array {
    const { search = '', version, updatedSinceMs, includeDeleted, tags = [], transport, registryType } = filter;
    const { remote, needsSecret } = filter;
    const wanted = this.#everything();
    if (!includeDeleted) wanted.remove((this.#deleted ??= this.#flagged(DELETED)));
    if (version === 'latest') wanted.keep((this.#latest ??= this.#flagged(LATEST)));
    for (const tag of tags) wanted.keep(this.#withTerm(tagTerm(tag)));
    if (transport !== undefined) wanted.keep(this.#withFacet(transportFacet(transport)));
    if (registryType !== undefined) wanted.keep(this.#withFacet(registryTypeFacet(registryType)));
    if (remote === 'true' || remote === 'only') wanted.keep(this.#withFacet(REMOTE));
    if (remote === 'false') wanted.remove(this.#withFacet(REMOTE));
    if (remote === 'only') wanted.remove(this.#withFacet(PACKAGE));
    if (needsSecret === false) wanted.keep(this.#withFacet(SECRET_FREE));
    if (needsSecret === true) wanted.remove(this.#withFacet(SECRET_FREE));
    if (search !== '') wanted.keep(this.#holding(search));

    const positions = wanted.toArray();
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

  #everything(): PositionSet {
    return PositionSet.full(this.#layout.rowOf.length);
  }

  #flagged(flag: number): PositionSet {
    const found = new PositionSet(this.#layout.rowOf.length);
    const { rowOf } = this.#layout;
    for (let position = 0; position < rowOf.length; position++) {
      if (segmentAt(this.#layout, position).has(rowOf[position] as number, flag)) found.add(position);
    }
    return found;
  }

  #withFacet(facet: string): PositionSet {
    return this.#withTerm(facetTerm(facet));
  }

  #withTerm(term: string): PositionSet {
    const found = new PositionSet(this.#layout.rowOf.length);
    this.#layout.segments.forEach(({ columns }, segment) => {
      for (const row of columns.terms.rowsOf(term)) this.#add(found, segment, row);
    });
    return found;
  }

  #holding(text: string): PositionSet {
    const found = new PositionSet(this.#layout.rowOf.length);
    this.#layout.segments.forEach((each, segment) => each.search(text, (row) => this.#add(found, segment, row)));
    return found;
  }

  /** Rows that were replaced are still in their segment. */
  #add(found: PositionSet, segment: number, row: number): void {
    const position = (positionsIn(this.#layout)[segment] as Uint32Array)[row] as number;
    if (position !== NOWHERE) found.add(position);
  }
}
