import { toIdentifier } from '#domain/ard/identifier.js';
import { compareVersions, newestOf } from '#domain/version-order.js';
import type { OrderedVersion } from '#domain/version-order.js';
import { foldCase } from './fold-case.js';
import type { Pacer } from './pacer.js';
import { COLD, DELETED, LATEST, Segment, UNADDRESSABLE } from './segment.js';
import { SlabWriter } from './slab-writer.js';
import { changedAtMs, isSaidAlike, toOfficialBlock } from './stored-entry.js';
import type { StoredLifecycle, StoredEntry } from './stored-entry.js';
import { PostingListsBuilder } from './posting-lists.js';
import { InvertedIndex } from './inverted-index.js';
import { GrowableArray } from './growable-array.js';

const HEAD = Buffer.from('{"server":');
/** Behind the mark of the latest, the comma included. */
const AFTER_MARK = '}}},';
/** Has the length of `false`, which it replaces. */
const IS_LATEST = Buffer.from(' true');

/** A tag is a term of its own kind: it may read like any other. */
export const tagTerm = (tag: string): string => `tag:${tag}`;
export const facetTerm = (facet: string): string => `facet:${facet}`;
export const statusTerm = (status: string): string => `status:${status}`;

/** The same lists for all rows, so that their terms are made once. */
const DEPRECATED: readonly string[] = ['deprecated'];
const NOT_DEPRECATED: readonly string[] = [];

interface VersionRow extends OrderedVersion {
  readonly row: number;
  readonly isLive: boolean;
}

/** Memory that a segment may take, in bytes. */
export interface Room {
  /** Everything together; a document that exceeds it stays in the database. */
  readonly bytes: number;
  /** Names, texts and indexes; an entry that exceeds it is withheld. */
  readonly indexBytes: number;
}

const UNLIMITED: Room = { bytes: Infinity, indexBytes: Infinity };

/** Estimates of what an entry takes beside its document: in the columns and layouts, and as strings and map entries. */
const ROW_BYTES = 80;
const NAME_BYTES = 80;
const STRING_BYTES = 32;
const TERM_BYTES = 8;
/** The word index is about as large as the text itself. */
const BYTES_PER_INDEXED_BYTE = 2;

/** Builds a segment from stored entries, which have to come in text order of name and version, every server whole. */
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
  /** The mark of names without an identifier, or 0, for the name that is being read. */
  #addressFlag = 0;
  #lastTail: { readonly of: StoredLifecycle; readonly bytes: Buffer } | undefined;
  /** The versions of the name that is being read; which is the latest shows only when all are here. */
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
    const indexBytes = ROW_BYTES + indexBytesOf(entry) + (isSameText ? 0 : textBytesOf(text));
    // After the first entry that does not fit none is taken, so that what is served is a prefix of the catalogue.
    if (this.#withheld > 0 || this.#indexBytes + indexBytes > this.#room.indexBytes) {
      this.#withheld++;
      return;
    }
    this.#indexBytes += indexBytes;
    // One string for all versions of a name.
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
    this.#terms.add(row, entry.tags, tagTerm);
    this.#terms.add(row, entry.facets, facetTerm);
    this.#terms.add(row, entry.status === 'deprecated' ? DEPRECATED : NOT_DEPRECATED, statusTerm);
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

  /** Writes what is sent of an entry, as if it were not the latest; false when its document had to be left out. */
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

  /** What is published together has one tail. */
  #tailOf(entry: StoredEntry): Buffer {
    if (!this.#lastTail || !isSaidAlike(entry, this.#lastTail.of)) {
      // Without the document, whose memory is not to be held.
      const { document: _, ...of } = entry;
      const head = entry.hasForeignMeta ? '' : ',"_meta":{';
      const bytes = Buffer.from(`${head}"io.modelcontextprotocol.registry/official":${toOfficialBlock(entry)}}},`);
      this.#lastTail = { of, bytes };
    }
    return this.#lastTail.bytes;
  }
}

/** An estimate of the bytes of an entry's names and terms. */
function indexBytesOf({ name, version, tags, facets }: StoredEntry): number {
  return NAME_BYTES + name.length + STRING_BYTES + version.length + (tags.length + facets.length) * TERM_BYTES;
}

/** Bytes of a text as a string, which has one byte for each character only if all of them are Latin-1, and in the index. */
function textBytesOf(text: string): number {
  const bytes = /[^\0-\xff]/.test(text) ? 2 * text.length : text.length;
  return STRING_BYTES + bytes * BYTES_PER_INDEXED_BYTE;
}

function newestFirst(versions: readonly VersionRow[]): readonly VersionRow[] {
  return versions.length === 1 ? versions : versions.toSorted((a, b) => compareVersions(b, a));
}
