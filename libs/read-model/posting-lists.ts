import { READ_MODEL_LIMITS } from './limits.js';
import { GrowableArray } from './growable-array.js';
import type { Pacer } from './pacer.js';

/** Number of postings that are processed between two calls of the pacer. */
const SHARE = 8192;

const NOTHING = new Uint32Array(0);

/** Estimated memory in bytes of a term, in addition to its characters, and of each row that has it. */
const TERM_BYTES = 64;
const POSTING_BYTES = 12;

/** Returns the kind of a term, which is its prefix up to the first colon. */
const kindOf = (term: string): string => term.slice(0, term.indexOf(':') + 1);

/** Posting lists: for each term, the rows that have it. A term is a tag or a facet and always matches as a whole. */
export class PostingLists {
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #kinds: ReadonlyMap<string, readonly string[]>;
  readonly #offsets: Uint32Array;
  readonly #rows: Uint32Array;

  /** `kinds` contains the terms of each kind. */
  constructor(
    numbers: ReadonlyMap<string, number>,
    kinds: ReadonlyMap<string, readonly string[]>,
    offsets: Uint32Array,
    rows: Uint32Array,
  ) {
    this.#numbers = numbers;
    this.#kinds = kinds;
    this.#offsets = offsets;
    this.#rows = rows;
  }

  /** Returns the posting list of a term in ascending order. */
  rowsOf(term: string): Uint32Array {
    const number = this.#numbers.get(term);
    if (number === undefined) return NOTHING;
    return this.#rows.subarray(this.#offsets[number], this.#offsets[number + 1]);
  }

  has(term: string): boolean {
    return this.#numbers.has(term);
  }

  /** Yields the terms with a prefix. The prefix must include the kind. */
  *terms(prefix: string): Generator<string> {
    for (const term of this.#kinds.get(kindOf(prefix)) ?? []) if (term.startsWith(prefix)) yield term;
  }
}

export class PostingListsBuilder {
  readonly #maxTerms: number;
  readonly #numbers = new Map<string, number>();
  readonly #kinds = new Map<string, string[]>();
  /** Cache of the terms of word lists, by the function that makes the terms. Many rows share one list of words. */
  readonly #known = new WeakMap<(word: string) => string, WeakMap<readonly string[], readonly number[]>>();
  readonly #counts: number[] = [];
  readonly #terms = new GrowableArray();
  readonly #rows = new GrowableArray();

  constructor(maxTerms: number = READ_MODEL_LIMITS.terms) {
    this.#maxTerms = maxTerms;
  }

  /**
   * Estimates the memory in bytes that words need as terms of one more row. Infinite if there would be too many terms.
   */
  costOf(words: readonly string[], toTerm: (word: string) => string): number {
    let bytes = words.length * POSTING_BYTES;
    if (this.#known.get(toTerm)?.has(words)) return bytes;
    let terms = this.#numbers.size;
    for (const term of words.map(toTerm)) {
      if (this.#numbers.has(term)) continue;
      if (++terms > this.#maxTerms) return Infinity;
      bytes += TERM_BYTES + bytesOf(term);
    }
    return bytes;
  }

  /** Adds the terms of a row, each once. The same list object must always have the same words. */
  add(row: number, words: readonly string[], toTerm: (word: string) => string): void {
    let known = this.#known.get(toTerm);
    if (!known) this.#known.set(toTerm, (known = new WeakMap()));
    let numbers = known.get(words);
    if (!numbers) known.set(words, (numbers = this.#numbersOf(words.map(toTerm))));
    for (const number of numbers) {
      this.#counts[number] = (this.#counts[number] as number) + 1;
      this.#terms.push(number);
      this.#rows.push(row);
    }
  }

  #numbersOf(terms: readonly string[]): readonly number[] {
    return Array.from(new Set(terms), (term) => this.#numbers.get(term) ?? this.#number(term));
  }

  #number(term: string): number {
    const kind = kindOf(term);
    const alike = this.#kinds.get(kind);
    if (alike) alike.push(term);
    else this.#kinds.set(kind, [term]);
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
    return new PostingLists(this.#numbers, this.#kinds, offsets, sorted);
  }
}

/** Returns the memory of a string in bytes. A string uses one byte per character only if all characters are Latin-1. */
export function bytesOf(text: string): number {
  return /[^\0-\xff]/.test(text) ? 2 * text.length : text.length;
}
