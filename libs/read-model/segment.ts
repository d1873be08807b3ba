import type { BitSet } from './bit-set.js';
import { foldCase } from './fold-case.js';
import { lastAtMost } from './growable-array.js';
import type { Pacer } from './pacer.js';
import type { PostingLists } from './posting-lists.js';
import type { InvertedIndex } from './inverted-index.js';

export const DELETED = 1;
/** The newest version of its server, of those that are not deleted if there are such. */
export const LATEST = 2;
/** Its server.json did not fit into memory: what is here is only what follows it in an answer. */
export const COLD = 4;

/** Its name has no identifier of Agentic Resource Discovery, so that it is no entry there. */
export const UNADDRESSABLE = 8;

export interface SegmentColumns {
  /** In text order, as `versions` within one name. All versions of a server are in one segment. */
  readonly names: readonly string[];
  /** The first row of each name. */
  readonly firstRows: ReadonlyMap<string, number>;
  readonly versions: readonly string[];
  readonly flags: Uint8Array;
  readonly changedAtMs: Float64Array;
  /** The rows of each server again, newest first. */
  readonly newestFirst: Uint32Array;
  readonly slabs: readonly Buffer[];
  readonly slabOf: Uint16Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** Bytes of each document that is not here; 0 for one that is. */
  readonly coldBytes: Uint32Array;
  readonly words: InvertedIndex;
  /** The first row of each text; versions of a server often share one. */
  readonly rowsOfTexts: Uint32Array;
  readonly terms: PostingLists;
}

/**
 * Rows that were read from the database at one time, immutable: their bytes as they are sent, each followed by a comma,
 * in a few large blocks of memory, and what is needed to find them. Which of them are served, in which order and beside
 * which others, is for a layout to say.
 */
export class Segment {
  readonly length: number;
  /** Bytes of the blocks that hold what is sent. */
  readonly bytes: number;
  /** An estimate of the bytes of everything else: names, texts and indexes. */
  readonly indexBytes: number;
  /** The number of rows that were left out, since not even their index entries fit into the memory budget. */
  readonly withheld: number;

  constructor(
    /** The source's id in the database, to fetch documents that are not in memory. */
    readonly sourceId: number,
    readonly columns: SegmentColumns,
    { indexBytes, withheld }: { readonly indexBytes: number; readonly withheld: number },
  ) {
    this.length = columns.names.length;
    this.bytes = columns.slabs.reduce((bytes, slab) => bytes + slab.length, 0);
    this.indexBytes = indexBytes;
    this.withheld = withheld;
  }

  name(row: number): string {
    return this.columns.names[row] as string;
  }

  version(row: number): string {
    return this.columns.versions[row] as string;
  }

  /** How many rows from here on are of the same server. */
  countVersions(first: number): number {
    const { names } = this.columns;
    let end = first + 1;
    while (names[end] === names[first]) end++;
    return end - first;
  }

  has(row: number, flag: number): boolean {
    return ((this.columns.flags[row] as number) & flag) !== 0;
  }

  changedAtMs(row: number): number {
    return this.columns.changedAtMs[row] as number;
  }

  /** Bytes of a row in this segment, the comma included. */
  heldSize(row: number): number {
    return (this.columns.ends[row] as number) - (this.columns.starts[row] as number) + 1;
  }

  /** Bytes of a row as it is sent, wherever its document is. */
  size(row: number): number {
    return this.heldSize(row) + this.documentBytes(row);
  }

  /** Bytes of the document of a cold row. */
  documentBytes(row: number): number {
    return this.columns.coldBytes[row] as number;
  }

  /** Whether two rows, the second right behind the first, are one piece of memory. */
  isJoined(row: number): boolean {
    const { slabOf } = this.columns;
    return row + 1 < this.length && slabOf[row] === slabOf[row + 1];
  }

  /** The bytes of rows that are one piece. */
  slice(first: number, last: number, withComma: boolean): Buffer {
    const { slabs, slabOf, starts, ends } = this.columns;
    return (slabs[slabOf[first] as number] as Buffer).subarray(
      starts[first],
      (ends[last] as number) + (withComma ? 1 : 0),
    );
  }

  /** Builds the word index, which makes searches fast; they are right without it, too. */
  async index(pacer: Pacer): Promise<void> {
    await this.columns.words.build(pacer);
  }

  /** Calls for every row whose name, title or description holds the text, whatever its case. */
  search(text: string, onRow: (row: number) => void): void {
    this.#eachRow(this.columns.words.find(foldCase(text)), onRow);
  }

  /** Calls for every row whose name, title or description has a word, which is case-folded. */
  findWord(word: string, isPrefix: boolean, onRow: (row: number) => void): void {
    this.#eachRow(this.columns.words.findWord(word, isPrefix), onRow);
  }

  /** Returns the last part of the name and the title of a row, case-folded. */
  displayTexts(row: number): { readonly leaf: string; readonly title: string } {
    const { words, rowsOfTexts } = this.columns;
    const [name = '', title = ''] = words.text(lastAtMost(rowsOfTexts, row)).split('\0', 2);
    return { leaf: name.slice(name.indexOf('/') + 1), title };
  }

  #eachRow(texts: BitSet, onRow: (row: number) => void): void {
    const { rowsOfTexts } = this.columns;
    for (const found of texts.toArray()) {
      const end = rowsOfTexts[found + 1] ?? this.length;
      for (let row = rowsOfTexts[found] as number; row < end; row++) onRow(row);
    }
  }
}
