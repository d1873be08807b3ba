import { BitSet } from './bit-set.js';
import { foldCase } from './fold-case.js';
import { hasWord, wordsOf } from './inverted-index.js';
import { nameAt, NOWHERE, positionsIn, segmentAt } from './layout.js';
import type { Layout } from './layout.js';
import { foldedTagTerm } from './segment-builder.js';

/** Limits of a ranking. */
export const RANK_LIMITS = {
  /** Maximum number of distinct words of a text that are used. */
  words: 16,
  /** Maximum number of words while a segment has no word index, because all texts must be read for each word. */
  wordsWithoutIndex: 4,
  /** Number of candidates whose texts are examined. The others are scored as if every word were in the description. */
  candidates: 1000,
  /** Minimum score of a result. */
  cutoff: 25,
} as const;

/** Factors for a word, by the place in which it was found. */
const FACTORS = { displayName: 1, tag: 0.8, elsewhere: 0.6 } as const;

/** Words that say nothing about a server, including those that occur everywhere in this catalogue. */
const FILL_WORDS: ReadonlySet<string> = new Set(
  `a an and any are as at be by can do find for from get give has have how i in into is it me my need of on or please
   some that the this to use using want what which who with you your mcp server servers tool tools`
    .split(/\s+/)
    .map(foldCase),
);

/** Ranked entries, best first. Entries with equal scores are in the order of the layout. */
export interface Ranking {
  readonly positions: Uint32Array;
  /** Score of each position, an integer from the cutoff to 100. */
  readonly scores: Uint8Array;
}

/** A word of the search text and the entries in which it was found. */
interface RankedWord {
  /** The case-folded word, without the `S` of a plural. */
  readonly stem: string;
  readonly isPrefix: boolean;
  readonly tagged: BitSet;
  readonly found: BitSet;
  readonly weight: number;
}

/**
 * Ranks entries by how well they match a text. Rare words in the list have more weight (inverse document frequency),
 * and a word has more weight in a name than in a description. `listed` are the entries that determine the weight of a
 * word; `wanted` are those of them that may be results.
 */
export function rank(layout: Layout, listed: BitSet, wanted: Uint32Array, text: string): Ranking {
  const folded = foldCase(text.trim());
  const words = toWords(folded, layout).map((word) => findWord(layout, listed, word));
  const total = words.reduce((sum, { weight }) => sum + weight, 0);
  const byScore = Array.from({ length: 101 }, (): number[] => []);
  let looked = 0;
  for (const { hits, positions, weight } of candidateGroups(layout, words, wanted)) {
    for (const position of positions) {
      const isNamed = hasName(nameAt(layout, position), folded);
      const sum = looked++ < RANK_LIMITS.candidates ? weigh(layout, position, hits) : weight * FACTORS.elsewhere;
      const score = isNamed ? 100 : Math.round((100 * sum) / total);
      if (score >= RANK_LIMITS.cutoff) byScore[score]?.push(position);
    }
  }
  const positions = byScore.toReversed().flatMap((each) => each.toSorted((a, b) => a - b));
  const scores = byScore.flatMap((each, score) => Array.from(each, () => score)).toReversed();
  return { positions: Uint32Array.from(positions), scores: Uint8Array.from(scores) };
}

/** Returns the words of a text that are used. Fill words are left out, unless there are no others. */
function toWords(folded: string, layout: Layout): readonly string[] {
  const all = [...new Set(wordsOf(folded))];
  const telling = all.filter((word) => word.length > 1 && !FILL_WORDS.has(word));
  const isIndexed = layout.segments.every(({ columns }) => columns.words.isBuilt);
  const limit = isIndexed ? RANK_LIMITS.words : RANK_LIMITS.wordsWithoutIndex;
  return (telling.length > 0 ? telling : all).slice(0, limit);
}

function findWord(layout: Layout, listed: BitSet, word: string): RankedWord {
  const isPlural = word.length >= 4 && word.endsWith('S');
  const stem = isPlural ? word.slice(0, -1) : word;
  const isPrefix = word.length >= 3;
  const length = layout.rowOf.length;
  const [tagged, found] = [new BitSet(length), new BitSet(length)];
  layout.segments.forEach((segment, number) => {
    const positions = positionsIn(layout)[number] as Uint32Array;
    const addTo = (set: BitSet) => (row: number) => {
      const position = positions[row] as number;
      if (position !== NOWHERE && listed.has(position)) set.add(position);
    };
    segment.findWord(stem, isPrefix, addTo(found));
    for (const tag of isPlural ? [word, stem] : [word]) {
      segment.columns.terms.rowsOf(foldedTagTerm(tag)).forEach(addTo(tagged));
    }
  });
  for (const position of tagged.toArray()) found.add(position);
  return { stem, isPrefix, tagged, found, weight: Math.log(1 + listed.size / Math.max(1, found.size)) };
}

/** Candidates that contain the same words, in the order of the layout. */
interface CandidateGroup {
  readonly hits: readonly RankedWord[];
  readonly positions: readonly number[];
  readonly weight: number;
}

/** Groups the wanted entries by the words that they contain, starting with the group of the highest weight. */
function candidateGroups(layout: Layout, words: readonly RankedWord[], wanted: Uint32Array): readonly CandidateGroup[] {
  const masks = new Uint16Array(layout.rowOf.length);
  words.forEach(({ found }, at) => {
    for (const position of found.toArray()) masks[position] = (masks[position] as number) | (1 << at);
  });
  const groups = new Map<number, number[]>();
  for (const position of wanted) {
    const mask = masks[position] as number;
    if (mask === 0) continue;
    const group = groups.get(mask);
    if (group) group.push(position);
    else groups.set(mask, [position]);
  }
  return Array.from(groups, ([mask, positions]) => {
    const hits = words.filter((_, at) => (mask & (1 << at)) !== 0);
    return { hits, positions, weight: hits.reduce((sum, { weight }) => sum + weight, 0) };
  }).toSorted((a, b) => b.weight - a.weight);
}

/**
 * Returns the sum of the weights of an entry's words, each multiplied by the factor for the place in which it was
 * found.
 */
function weigh(layout: Layout, position: number, hits: readonly RankedWord[]): number {
  const { leaf, title } = segmentAt(layout, position).displayTexts(layout.rowOf[position] as number);
  return hits.reduce((sum, { stem, isPrefix, tagged, weight }) => {
    const isDisplayed = hasWord(leaf, stem, isPrefix) || hasWord(title, stem, isPrefix);
    const factor = isDisplayed ? FACTORS.displayName : tagged.has(position) ? FACTORS.tag : FACTORS.elsewhere;
    return sum + weight * factor;
  }, 0);
}

/**
 * Returns whether a case-folded text is a whole name or its last part. Names are ASCII, so most differences show in the
 * length already.
 */
function hasName(name: string, folded: string): boolean {
  const leafLength = name.length - name.indexOf('/') - 1;
  if (folded.length !== name.length && folded.length !== leafLength) return false;
  return foldCase(name).endsWith(folded) && (folded.length === name.length || folded.length === leafLength);
}
