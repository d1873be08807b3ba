import { GrowableArray } from './growable-array.js';
import type { Pacer } from './pacer.js';

/** Postings that are processed between two looks at the clock. */
const SHARE = 8192;

const NOTHING = new Uint32Array(0);

/** Posting lists: for each term, the rows that have it. A term is a tag or a facet, which matches as a whole. */
export class PostingLists {
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #offsets: Uint32Array;
  readonly #rows: Uint32Array;

  constructor(numbers: ReadonlyMap<string, number>, offsets: Uint32Array, rows: Uint32Array) {
    this.#numbers = numbers;
    this.#offsets = offsets;
    this.#rows = rows;
  }

  /** Returns the posting list of a term, in ascending order. */
  rowsOf(term: string): Uint32Array {
    const number = this.#numbers.get(term);
    if (number === undefined) return NOTHING;
    return this.#rows.subarray(this.#offsets[number], this.#offsets[number + 1]);
  }

  /** Yields the terms with a prefix, each with its rows in ascending order. */
  *entries(prefix: string): Generator<readonly [term: string, rows: Uint32Array]> {
    for (const term of this.#numbers.keys()) if (term.startsWith(prefix)) yield [term, this.rowsOf(term)];
  }
}

export class PostingListsBuilder {
  readonly #numbers = new Map<string, number>();
  /** Terms of word lists that were met before, by how they were made: many rows share one list of words. */
  readonly #known = new WeakMap<(word: string) => string, WeakMap<readonly string[], readonly number[]>>();
  readonly #counts: number[] = [];
  readonly #terms = new GrowableArray();
  readonly #rows = new GrowableArray();

  /** Adds the terms of a row, each once; the same list of words always stands for the same terms. */
  add(row: number, words: readonly string[], toTerm: (word: string) => string): void {
    let known = this.#known.get(toTerm);
    if (!known) this.#known.set(toTerm, (known = new WeakMap()));
    let numbers = known.get(words);
    if (!numbers) known.set(words, (numbers = words.map((word) => this.#numberOf(toTerm(word)))));
    for (const number of numbers) {
      this.#counts[number] = (this.#counts[number] as number) + 1;
      this.#terms.push(number);
      this.#rows.push(row);
    }
  }

  #numberOf(term: string): number {
    const known = this.#numbers.get(term);
    if (known !== undefined) return known;
    this.#numbers.set(term, this.#counts.length);
    return this.#counts.push(0) - 1;
  }

  async finish(pacer: Pacer): Promise<PostingLists> {
    const offsets = new Uint32Array(this.#counts.length + 1);
    this.#counts.forEach((count, term) => (offsets[term + 1] = (offsets[term] as number) + count));
    const next = offsets.slice();
    const [terms, rows] = [this.#terms.view(), this.#rows.view()];
    const sorted = new Uint32Array(rows.length);
    for (let at = 0; at < rows.length; at++) {
      const term = terms[at] as number;
      sorted[next[term] as number] = rows[at] as number;
      next[term] = (next[term] as number) + 1;
      if (at % SHARE === 0) await pacer.rest();
    }
    this.#terms.clear();
    this.#rows.clear();
    return new PostingLists(this.#numbers, offsets, sorted);
  }
}
