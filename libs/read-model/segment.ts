import type { BitSet } from './bit-set.js';
import { foldCase } from './fold-case.js';
import { lastAtMost } from './growable-array.js';
import type { Pacer } from './pacer.js';
import type { PostingLists } from './posting-lists.js';
import type { InvertedIndex } from './inverted-index.js';

export const DELETED = 1;
/** Flag of the newest version of a server, among those that are not deleted if there are any. */
export const LATEST = 2;
/**
 * Flag of a row whose server.json did not fit into memory. The segment contains only the bytes that follow it in a
 * response.
 */
export const COLD = 4;

/** Flag of a row whose name has no identifier of Agentic Resource Discovery, so that it is not listed there. */
export const UNADDRESSABLE = 8;

export interface SegmentColumns {
  /**
   * The names in code point order. Within a name, `versions` are also in this order. All versions of a server are in
   * one segment.
   */
  readonly names: readonly string[];
  /** The first row of each name. */
  readonly firstRows: ReadonlyMap<string, number>;
  readonly versions: readonly string[];
  readonly flags: Uint8Array;
  readonly changedAtMs: Float64Array;
  /** The rows of each server, sorted from newest to oldest. */
  readonly newestFirst: Uint32Array;
  readonly slabs: readonly Buffer[];
  readonly slabOf: Uint16Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** Size in bytes of each document that is not in memory, or 0 if it is. */
  readonly coldBytes: Uint32Array;
  readonly words: InvertedIndex;
  /** The first row of each text. Versions of a server often share a text. */
  readonly rowsOfTexts: Uint32Array;
  readonly terms: PostingLists;
}

/**
 * An immutable set of rows that were read from the database together. It contains their bytes as they are sent, each
 * row followed by a comma, in a few large blocks of memory, and the data that is needed to find them. A layout
 * determines which rows are served, in which order, and together with which others.
 */
export class Segment {
  readonly length: number;
  /** Total size in bytes of the blocks with the response bytes. */
  readonly bytes: number;
  /** Estimated memory in bytes of everything else: names, texts and indexes. */
  readonly indexBytes: number;
  /** Number of rows that were left out, because not even their index entries fit into the memory budget. */
  readonly withheld: number;

  constructor(
    /** Id of the source in the database, for fetching documents that are not in memory. */
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

  /** Returns the number of rows, starting at `first`, that belong to the same server. */
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

  /** Size in bytes of a row in this segment, including the comma. */
  heldSize(row: number): number {
    return (this.columns.ends[row] as number) - (this.columns.starts[row] as number) + 1;
  }

  /** Size in bytes of a row as it is sent, regardless of where its document is. */
  size(row: number): number {
    return this.heldSize(row) + this.documentBytes(row);
  }

  /** Size in bytes of the document of a cold row. */
  documentBytes(row: number): number {
    return this.columns.coldBytes[row] as number;
  }

  /** Returns whether a row and the next one are contiguous in memory. */
  isJoined(row: number): boolean {
    const { slabOf } = this.columns;
    return row + 1 < this.length && slabOf[row] === slabOf[row + 1];
  }

  /** Returns the bytes of contiguous rows. */
  slice(first: number, last: number, withComma: boolean): Buffer {
    const { slabs, slabOf, starts, ends } = this.columns;
    return (slabs[slabOf[first] as number] as Buffer).subarray(
      starts[first],
      (ends[last] as number) + (withComma ? 1 : 0),
    );
  }

  /** Builds the word index, which makes searches fast. Searches give the same results without it. */
  async index(pacer: Pacer): Promise<void> {
    await this.columns.words.build(pacer);
  }

  /** Calls `onRow` for every row whose name, title or description contains the text, case-insensitive. */
  search(text: string, onRow: (row: number) => void): void {
    this.#eachRow(this.columns.words.find(foldCase(text)), onRow);
  }

  /** Calls `onRow` for every row whose name, title or description contains a word. The word must be case-folded. */
  findWord(word: string, isPrefix: boolean, onRow: (row: number) => void): void {
    this.#eachRow(this.columns.words.findWord(word, isPrefix), onRow);
  }

  /** Returns the last part of the name and the title of a row, both case-folded. */
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
