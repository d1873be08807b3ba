import { GrowableArray, lastAtMost } from './growable-array.js';
import { READ_MODEL_LIMITS } from './limits.js';
import type { Pacer } from './pacer.js';
import { BitSet } from './bit-set.js';

/** The data of an inverted index: the words of all texts, and for each word the texts that contain it. */
interface WordTable {
  /** All words, most frequent first, separated by line feeds, which no word contains. */
  readonly words: string;
  readonly wordStarts: Uint32Array;
  /** The texts of word n are in `textsOfWords` from `offsets[n]` to `offsets[n + 1]`. */
  readonly offsets: Uint32Array;
  readonly textsOfWords: Uint32Array;
}

/**
 * An inverted index that finds the texts that contain a given substring. A word is a run of letters and digits. The
 * substring is split into words as well: its first word may be the end of a word in the text, its last word may be the
 * beginning of one, and the words in between must match completely. Matching words are found by a scan of the
 * vocabulary, which is short. Until the index is built, or if it would be too large, all texts are scanned instead.
 */
export class InvertedIndex {
  readonly #texts: readonly string[];
  #table: WordTable | undefined;
  #isTried = false;

  /** `texts` must be case-folded. They are identified by their indexes in this list. */
  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  /** Builds the table, unless the texts have too many characters or words for an index. */
  async build(pacer: Pacer): Promise<void> {
    if (this.#isTried) return;
    this.#isTried = true;
    this.#table = await new WordTableBuilder(this.#texts).build(pacer);
  }

  /** Returns the indexes of the texts that contain `needle`. */
  find(needle: string): BitSet {
    const table = this.#table;
    const [first, ...others] = table ? toPatterns(needle) : [];
    if (!table || first === undefined) return this.#holding(needle, BitSet.full(this.#texts.length));
    const found = this.#withWords(first, table);
    for (const pattern of others) {
      if (found.isEmpty()) break;
      found.keep(this.#withWords(pattern, table));
    }
    // A single word is an exact match. For several words, their order in the text must be checked.
    const isOneWord = first === needle && !needle.includes('\n');
    return isOneWord ? found : this.#holding(needle, found);
  }

  /** Whether the table of words has been built. */
  get isBuilt(): boolean {
    return this.#table !== undefined;
  }

  text(number: number): string {
    return this.#texts[number] as string;
  }

  /** Returns the indexes of the texts that contain a word, or with `isPrefix` a word that starts with it. */
  findWord(word: string, isPrefix: boolean): BitSet {
    if (this.#table) return this.#withWords(`\n${word}${isPrefix ? '' : '\n'}`, this.#table);
    const found = new BitSet(this.#texts.length);
    this.#texts.forEach((text, number) => void (hasWord(text, word, isPrefix) && found.add(number)));
    return found;
  }

  #withWords(pattern: string, { words, wordStarts, offsets, textsOfWords }: WordTable): BitSet {
    const found = new BitSet(this.#texts.length);
    let count = 0;
    for (let at = words.indexOf(pattern); at >= 0;) {
      // A pattern may start with the line feed before its word.
      const word = lastAtMost(wordStarts, pattern.startsWith('\n') ? at + 1 : at);
      const end = offsets[word + 1] as number;
      for (let index = offsets[word] as number; index < end; index++) {
        const text = textsOfWords[index] as number;
        if (found.has(text)) continue;
        found.add(text);
        count++;
      }
      if (count === this.#texts.length || word + 1 === wordStarts.length) break;
      at = words.indexOf(pattern, (wordStarts[word + 1] as number) - 1);
    }
    return found;
  }

  #holding(needle: string, candidates: BitSet): BitSet {
    const found = new BitSet(this.#texts.length);
    for (const text of candidates.toArray()) if ((this.#texts[text] as string).includes(needle)) found.add(text);
    return found;
  }
}

/** Number of words or texts that are processed between two calls of the pacer. */
const SHARE = 1024;
/** Number of texts that are split into words between two calls of the pacer. */
const SHARE_OF_TEXTS = 64;

/** Builds one table. An instance can be used only once. */
class WordTableBuilder {
  readonly #texts: readonly string[];
  readonly #numbers = new Map<string, number>();
  /** For each word, the number of texts that contain it. */
  readonly #counts: number[] = [];
  readonly #lastTexts: number[] = [];
  /** The words of all texts, one text after the other, and the index where each text starts. */
  readonly #wordsOfTexts = new GrowableArray();
  readonly #starts = new GrowableArray();

  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  /** Builds the table. Returns undefined if a limit is exceeded. */
  async build(pacer: Pacer): Promise<WordTable | undefined> {
    let characters = 0;
    for (let text = 0; text < this.#texts.length; text++) {
      characters += (this.#texts[text] as string).length;
      if (characters > READ_MODEL_LIMITS.indexedCharacters) return undefined;
      this.#addText(text);
      if (this.#counts.length > READ_MODEL_LIMITS.indexedWords) return undefined;
      if (text % SHARE_OF_TEXTS === 0) await pacer.rest();
    }
    return this.#finish(pacer);
  }

  #addText(number: number): void {
    const text = this.#texts[number] as string;
    this.#starts.push(this.#wordsOfTexts.length);
    let start = -1;
    for (let at = 0; at <= text.length; at++) {
      if (at < text.length && isPartOfWord(text.charCodeAt(at))) {
        if (start < 0) start = at;
      } else if (start >= 0) {
        this.#addWord(text.slice(start, at), number);
        start = -1;
      }
    }
  }

  #addWord(word: string, text: number): void {
    let number = this.#numbers.get(word);
    if (number === undefined) {
      number = this.#counts.length;
      this.#numbers.set(word, number);
      this.#counts.push(0);
      this.#lastTexts.push(-1);
    }
    if (this.#lastTexts[number] === text) return;
    this.#lastTexts[number] = text;
    this.#counts[number] = (this.#counts[number] as number) + 1;
    this.#wordsOfTexts.push(number);
  }

  async #finish(pacer: Pacer): Promise<WordTable> {
    const ranks = await this.#ranks(pacer);
    const counts = new Uint32Array(ranks.length);
    ranks.forEach((rank, number) => (counts[rank] = this.#counts[number] as number));
    const { words, wordStarts } = await this.#joinWords(ranks, pacer);

    const offsets = new Uint32Array(ranks.length + 1);
    counts.forEach((count, word) => (offsets[word + 1] = (offsets[word] as number) + count));
    const next = offsets.slice();
    const textsOfWords = new Uint32Array(this.#wordsOfTexts.length);
    const wordsOfTexts = this.#wordsOfTexts.view();
    const starts = this.#starts.view();
    for (let text = 0; text < starts.length; text++) {
      const end = starts[text + 1] ?? wordsOfTexts.length;
      for (let at = starts[text] as number; at < end; at++) {
        const word = ranks[wordsOfTexts[at] as number] as number;
        textsOfWords[next[word] as number] = text;
        next[word] = (next[word] as number) + 1;
      }
      if (text % SHARE === 0) await pacer.rest();
    }
    this.#wordsOfTexts.clear();
    this.#starts.clear();
    return { words, wordStarts, offsets, textsOfWords };
  }

  /** Returns the rank of each word in descending order of frequency. */
  async #ranks(pacer: Pacer): Promise<Uint32Array> {
    const counts = this.#counts;
    // Uses counting sort, because a comparison sort takes several times as long and cannot be interrupted.
    const next = new Uint32Array(this.#texts.length + 2);
    for (const count of counts) next[count - 1] = (next[count - 1] as number) + 1;
    for (let rank = 0, count = next.length - 1; count >= 0; count--) {
      const words = next[count] as number;
      next[count] = rank;
      rank += words;
    }
    const ranks = new Uint32Array(counts.length);
    for (let number = 0; number < ranks.length; number++) {
      const at = (counts[number] as number) - 1;
      ranks[number] = next[at] as number;
      next[at] = (next[at] as number) + 1;
      if (number % SHARE === 0) await pacer.rest();
    }
    return ranks;
  }

  async #joinWords(ranks: Uint32Array, pacer: Pacer): Promise<{ words: string; wordStarts: Uint32Array }> {
    const ordered = Array.from<string>({ length: ranks.length });
    for (const [word, number] of this.#numbers) {
      ordered[ranks[number] as number] = word;
      if (number % SHARE === 0) await pacer.rest();
    }
    const wordStarts = new Uint32Array(ordered.length);
    const parts: string[] = [];
    let start = 1;
    for (let from = 0; from < ordered.length; from += SHARE) {
      const part = ordered.slice(from, from + SHARE);
      for (const [offset, word] of part.entries()) {
        wordStarts[from + offset] = start;
        start += word.length + 1;
      }
      parts.push(part.join('\n'));
      await pacer.rest();
    }
    return { words: `\n${parts.join('\n')}\n`, wordStarts };
  }
}

/**
 * Returns the patterns to find in the vocabulary: the words of the needle, with a line feed at each end that must be
 * the start or end of a word.
 */
function toPatterns(needle: string): string[] {
  const patterns: string[] = [];
  let start = -1;
  for (let at = 0; at <= needle.length; at++) {
    if (at < needle.length && isPartOfWord(needle.charCodeAt(at))) {
      if (start < 0) start = at;
    } else if (start >= 0) {
      patterns.push(`${start > 0 ? '\n' : ''}${needle.slice(start, at)}${at < needle.length ? '\n' : ''}`);
      start = -1;
    }
  }
  // Starts with long words, which are rare, so that few texts are left for the others.
  return [...new Set(patterns)].toSorted((a, b) => b.length - a.length);
}

/** Returns whether a text contains a word, or with `isPrefix` a word that starts with it. */
export function hasWord(text: string, word: string, isPrefix: boolean): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const end = at + word.length;
    const begins = at === 0 || !isPartOfWord(text.charCodeAt(at - 1));
    if (begins && (isPrefix || end === text.length || !isPartOfWord(text.charCodeAt(end)))) return true;
  }
  return false;
}

/** Splits a text into words, which are runs of letters and digits. */
export function wordsOf(text: string): string[] {
  return text.split(/[\0-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+/).filter((word) => word !== '');
}

/**
 * Returns whether a UTF-16 code unit is part of a word: letters, digits and everything outside ASCII, so that no script
 * is split into single characters.
 */
function isPartOfWord(unit: number): boolean {
  return (
    unit >= 0x80 || (unit >= 0x30 && unit <= 0x39) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a)
  );
}
