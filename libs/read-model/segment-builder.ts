import { toIdentifier } from '#domain/ard/identifier.js';
import { searchable } from '#domain/server-facets.js';
import { compareVersions, newestOf } from '#domain/version-order.js';
import type { OrderedVersion } from '#domain/version-order.js';
import { foldCase } from './fold-case.js';
import type { Pacer } from './pacer.js';
import { COLD, DELETED, LATEST, Segment, UNADDRESSABLE } from './segment.js';
import { SlabWriter } from './slab-writer.js';
import { changedAtMs, hasEqualBlock, toOfficialBlock } from './stored-entry.js';
import type { StoredLifecycle, StoredEntry } from './stored-entry.js';
import { bytesOf, PostingListsBuilder } from './posting-lists.js';
import { InvertedIndex } from './inverted-index.js';
import { GrowableArray } from './growable-array.js';

const HEAD = Buffer.from('{"server":');
/** The bytes of a row after the flag `isLatest`, including the comma that follows the row. */
const AFTER_MARK = '}}},';
/** The flag `isLatest` of the latest version. It overwrites `false`, so it must have the same length. */
const IS_LATEST = Buffer.from(' true');

/** Returns the term of a tag. Tags have their own kind of term, because a tag may read like any other term. */
export const tagTerm = (tag: string): string => `tag:${tag}`;
/** Returns a term that is the same for all tags that differ only in case. */
export const foldedTagTerm = (folded: string): string => `folded-tag:${folded}`;
export const facetTerm = (facet: string): string => `facet:${facet}`;
export const statusTerm = (status: string): string => `status:${status}`;

/** A word list that all deprecated rows share, so that its terms are built only once. */
const DEPRECATED: readonly string[] = ['deprecated'];
const NOT_DEPRECATED: readonly string[] = [];

const toFoldedTag = (tag: string): string => foldedTagTerm(foldCase(tag));

interface VersionRow extends OrderedVersion {
  readonly row: number;
  readonly isLive: boolean;
}

/** Maximum memory of a segment in bytes. */
export interface Room {
  /** Limit for everything together. A document that would exceed it stays in the database. */
  readonly bytes: number;
  /** Limit for names, texts and indexes. An entry that would exceed it is withheld. */
  readonly indexBytes: number;
}

const UNLIMITED: Room = { bytes: Infinity, indexBytes: Infinity };

/**
 * Estimated memory in bytes of an entry in addition to its document: in the columns and layouts, and as strings and map
 * entries.
 */
const ROW_BYTES = 80;
const NAME_BYTES = 80;
const STRING_BYTES = 32;
/** Memory of a text including its word index, which is about as large as the text itself. */
const BYTES_PER_INDEXED_BYTE = 2;

/**
 * Builds a segment from stored entries. They must be sorted by name and version in code point order, with all versions
 * of a server.
 */
export class SegmentBuilder {
  readonly #sourceId: number;
  readonly #room: Room;
  readonly #slabs = new SlabWriter();
  readonly #terms = new PostingListsBuilder();
  readonly #texts: string[] = [];
  readonly #rowsOfTexts = new GrowableArray();
  readonly #names: string[] = [];
  readonly #firstRows = new Map<string, number>();
  readonly #versions: string[] = [];
  readonly #flags: number[] = [];
  readonly #changedAtMs: number[] = [];
  readonly #newestFirst = new GrowableArray();
  readonly #slabOf: number[] = [];
  readonly #starts = new GrowableArray();
  readonly #ends = new GrowableArray();
  readonly #coldBytes = new GrowableArray();
  #indexBytes = 0;
  #withheld = 0;
  /** UNADDRESSABLE if the current name has no identifier of Agentic Resource Discovery, otherwise 0. */
  #addressFlag = 0;
  #lastTail: { readonly of: StoredLifecycle; readonly bytes: Buffer } | undefined;
  /** The versions of the current name. The latest one is known only when all of them have been added. */
  #server: VersionRow[] = [];

  constructor(sourceId: number, room = UNLIMITED) {
    this.#sourceId = sourceId;
    this.#room = room;
  }

  /** Adds an entry without keeping a reference to its document. */
  add(entry: StoredEntry): void {
    const row = this.#names.length;
    const text = foldCase(`${entry.name}\0${entry.title ?? ''}\0${entry.description}`);
    const isSameText = text === this.#texts.at(-1);
    const terms = termsOf(entry);
    const termBytes = terms.reduce((bytes, [words, toTerm]) => bytes + this.#terms.costOf(words, toTerm), 0);
    const indexBytes = ROW_BYTES + nameBytesOf(entry) + termBytes + (isSameText ? 0 : textBytesOf(text));
    // After the first entry that does not fit, no further entry is accepted, so that the served entries are a prefix of
    // the catalogue.
    if (this.#withheld > 0 || termBytes === Infinity || this.#indexBytes + indexBytes > this.#room.indexBytes) {
      this.#withheld++;
      return;
    }
    this.#indexBytes += indexBytes;
    // All versions of a name share one string.
    let name = this.#names[row - 1] ?? '';
    if (row === 0 || entry.name !== name) {
      this.#completeServer();
      name = entry.name;
      this.#addressFlag = toIdentifier(name) === undefined ? UNADDRESSABLE : 0;
      this.#firstRows.set(name, row);
    }
    const { version, publishedAtMs, deletedAtMs, position } = entry;
    const isLive = deletedAtMs === null;
    const isMarkedLatest = entry.isMarkedLatest && isLive;
    this.#server.push({ row, version, isMarkedLatest, publishedAtMs, position, isLive });
    const isCold = !this.#place(entry);
    this.#names.push(name);
    this.#versions.push(version);
    this.#flags.push((deletedAtMs === null ? 0 : DELETED) | (isCold ? COLD : 0) | this.#addressFlag);
    this.#changedAtMs.push(changedAtMs(entry));
    for (const [words, toTerm] of terms) this.#terms.add(row, words, toTerm);
    if (isSameText) return;
    this.#rowsOfTexts.push(row);
    this.#texts.push(text);
  }

  async finish(pacer: Pacer): Promise<Segment> {
    this.#completeServer();
    await pacer.rest();
    const terms = await this.#terms.finish(pacer);
    await pacer.rest();
    const columns = {
      names: this.#names,
      firstRows: this.#firstRows,
      versions: this.#versions,
      flags: new Uint8Array(this.#flags),
      changedAtMs: new Float64Array(this.#changedAtMs),
      newestFirst: this.#newestFirst.take(),
      slabs: this.#slabs.finish(),
      slabOf: new Uint16Array(this.#slabOf),
      starts: this.#starts.take(),
      ends: this.#ends.take(),
      coldBytes: this.#coldBytes.take(),
      words: new InvertedIndex(this.#texts),
      rowsOfTexts: this.#rowsOfTexts.take(),
      terms,
    };
    return new Segment(this.#sourceId, columns, { indexBytes: this.#indexBytes, withheld: this.#withheld });
  }

  #completeServer(): void {
    const versions = this.#server;
    this.#server = [];
    const live = versions.filter(({ isLive }) => isLive);
    const latest = newestOf(live.length > 0 ? live : versions);
    if (!latest) return;
    this.#flags[latest.row] = (this.#flags[latest.row] as number) | LATEST;
    const mark = this.#ends.at(latest.row) + 1 - AFTER_MARK.length - IS_LATEST.length;
    this.#slabs.overwrite(this.#slabOf[latest.row] as number, mark, IS_LATEST);
    for (const { row } of newestFirst(versions)) this.#newestFirst.push(row);
  }

  /**
   * Writes the bytes that are sent for an entry, as if it were not the latest version. Returns false if its document
   * had to be left out.
   */
  #place(entry: StoredEntry): boolean {
    const { document } = entry;
    const tail = this.#tailOf(entry);
    const wholeBytes = HEAD.length + document.length + tail.length;
    const fits = this.#slabs.bytes + this.#indexBytes + wholeBytes <= this.#room.bytes;
    this.#coldBytes.push(fits ? 0 : HEAD.length + document.length);
    this.#slabOf.push(this.#slabs.reserve(fits ? wholeBytes : tail.length));
    const start = fits ? this.#slabs.put(HEAD) : undefined;
    if (fits) this.#slabs.put(document);
    const tailStart = this.#slabs.put(tail);
    this.#starts.push(start ?? tailStart);
    this.#ends.push(tailStart + tail.length - 1);
    return fits;
  }

  /** Returns the bytes that follow the document of an entry (its tail). Entries that were published together share one. */
  #tailOf(entry: StoredEntry): Buffer {
    if (!this.#lastTail || !hasEqualBlock(entry, this.#lastTail.of)) {
      // Drops the document, so that its memory is not retained.
      const { document: _, ...of } = entry;
      const head = entry.hasForeignMeta ? '' : ',"_meta":{';
      const bytes = Buffer.from(`${head}"io.modelcontextprotocol.registry/official":${toOfficialBlock(entry)}}},`);
      this.#lastTail = { of, bytes };
    }
    return this.#lastTail.bytes;
  }
}

/** Returns the word lists of an entry, each with the function that converts a word to a term. */
function termsOf({
  tags: given,
  facets,
  status,
}: StoredEntry): readonly (readonly [readonly string[], (word: string) => string])[] {
  // Source filters match all tags, but the index contains only the searchable ones, to limit its size.
  const tags = searchable(given);
  return [
    [tags, tagTerm],
    [tags, toFoldedTag],
    [facets, facetTerm],
    [status === 'deprecated' ? DEPRECATED : NOT_DEPRECATED, statusTerm],
  ];
}

/** Estimates the memory of an entry's names in bytes. */
function nameBytesOf({ name, version }: StoredEntry): number {
  return NAME_BYTES + name.length + STRING_BYTES + bytesOf(version);
}

/** Estimates the memory of a text in bytes, as a string and in the index. */
function textBytesOf(text: string): number {
  return STRING_BYTES + bytesOf(text) * BYTES_PER_INDEXED_BYTE;
}

function newestFirst(versions: readonly VersionRow[]): readonly VersionRow[] {
  return versions.length === 1 ? versions : versions.toSorted((a, b) => compareVersions(b, a));
}
