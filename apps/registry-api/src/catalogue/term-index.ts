import { GrowingList } from './growing-list.js';
import type { Pacer } from './pacer.js';

/** So many terms of rows are dealt with between two looks at the clock. */
const SHARE = 8192;

const NOTHING = new Uint32Array(0);

/** Which rows have a term: a word that rows are filtered by as a whole. */
export class TermIndex {
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #offsets: Uint32Array;
  readonly #rows: Uint32Array;

  constructor(numbers: ReadonlyMap<string, number>, offsets: Uint32Array, rows: Uint32Array) {
    this.#numbers = numbers;
    this.#offsets = offsets;
    this.#rows = rows;
  }

  /** In ascending order. */
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

export class TermIndexBuilder {
  readonly #numbers = new Map<string, number>();
  /** Those of lists that were met before, by what was made of them: many rows share one, and so may tags and facets. */
  readonly #known = new WeakMap<(word: string) => string, WeakMap<readonly string[], readonly number[]>>();
  readonly #counts: number[] = [];
  readonly #terms = new GrowingList();
  readonly #rows = new GrowingList();

  /** Each term of a row once; a list of words, turned the same way, always stands for the same terms. */
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

  async finish(pacer: Pacer): Promise<TermIndex> {
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
    return new TermIndex(this.#numbers, offsets, sorted);
  }
}
