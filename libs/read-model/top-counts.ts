/** A value that can be filtered by, with the number of entries that have it. */
export interface FacetCount {
  readonly value: string;
  readonly count: number;
}

/**
 * Selects the highest counts. Memory, and time per value, depend on how many counts are kept, not on how many there
 * are.
 */
export class TopCounts {
  readonly #limit: number;
  readonly #minCount: number;
  readonly #top: FacetCount[] = [];
  #sum = 0;

  /** Keeps at most `limit` counts. Counts below `minCount` are ignored. */
  constructor(limit: number, minCount = 1) {
    this.#limit = limit;
    this.#minCount = Math.max(1, minCount);
  }

  /** The highest counts in descending order. Equal counts are sorted by value. */
  get top(): readonly FacetCount[] {
    return this.#top;
  }

  /** Sum of the counts that are not kept. */
  get otherCount(): number {
    return this.#sum - this.#top.reduce((sum, { count }) => sum + count, 0);
  }

  /** Adds the count of a value. Each value may be added only once. */
  add(value: string, count: number): void {
    if (count < this.#minCount) return;
    this.#sum += count;
    const each = { value, count };
    const last = this.#top.at(-1);
    if (last && this.#top.length === this.#limit && order(last, each) < 0) return;
    this.#top.splice(this.#placeOf(each), 0, each);
    if (this.#top.length > this.#limit) this.#top.pop();
  }

  /** Returns the index at which to insert a count, using binary search. */
  #placeOf(each: FacetCount): number {
    let low = 0;
    let high = this.#top.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (order(this.#top[middle] as FacetCount, each) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function order(a: FacetCount, b: FacetCount): number {
  return b.count - a.count || (a.value < b.value ? -1 : 1);
}
