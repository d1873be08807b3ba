import { compareCodePoints } from './code-point-order.js';
import { foldCase } from './fold-case.js';
import type { Pacer } from './pacer.js';
import { COLD, DELETED, LATEST, Segment } from './segment.js';
import { SlabWriter } from './slab-writer.js';
import { changedAtMs, toOfficialBlock } from './stored-entry.js';
import type { StoredEntry } from './stored-entry.js';
import { TermIndexBuilder } from './term-index.js';
import { compareVersions, newestOf } from './version-order.js';
import { WordIndexBuilder } from './word-index.js';
import { GrowingList } from './growing-list.js';

const HEAD = Buffer.from('{"server":');

/** A tag is a term of its own kind: it may read like any other. */
export const tagTerm = (tag: string): string => `tag:${tag}`;
export const facetTerm = (facet: string): string => `facet:${facet}`;

/** Makes a segment of stored entries, which have to come in text order of name and version, every server whole. */
export class SegmentBuilder {
  readonly #sourceId: number;
  readonly #room: number;
  readonly #slabs = new SlabWriter();
  readonly #words = new WordIndexBuilder();
  readonly #terms = new TermIndexBuilder();
  readonly #rowsOfTexts = new GrowingList();
  readonly #names: string[] = [];
  readonly #firstRows = new Map<string, number>();
  readonly #versions: string[] = [];
  readonly #flags: number[] = [];
  readonly #changedAtMs: number[] = [];
  readonly #newestFirst = new GrowingList();
  readonly #slabOf: number[] = [];
  readonly #starts = new GrowingList();
  readonly #ends = new GrowingList();
  #lastText = '';
  /** The versions of the name that is being read; which is the latest shows only when all are here. */
  #pending: StoredEntry[] = [];

  /** `room`: how many bytes it may take; documents beyond stay in the database. */
  constructor(sourceId: number, room = Infinity) {
    this.#sourceId = sourceId;
    this.#room = room;
  }

  add(entry: StoredEntry): void {
    if (this.#pending[0] && this.#pending[0].name !== entry.name) this.#completeServer();
    this.#pending.push(entry);
  }

  async finish(pacer: Pacer): Promise<Segment> {
    this.#completeServer();
    const words = await this.#words.finish(pacer);
    await pacer.rest();
    return new Segment(this.#sourceId, {
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
      words,
      rowsOfTexts: this.#rowsOfTexts.take(),
      terms: this.#terms.finish(),
    });
  }

  #completeServer(): void {
    const entries = this.#pending;
    const live = entries.filter(({ deletedAtMs }) => deletedAtMs === null);
    const latest = newestOf(live.length > 0 ? live : entries);
    if (!latest) return;
    const first = this.#names.length;
    this.#firstRows.set(latest.name, first);
    // One string for all versions of a name.
    for (const entry of entries) this.#addRow(latest.name, entry, entry === latest);
    for (const entry of newestFirst(entries)) this.#newestFirst.push(first + entries.indexOf(entry));
    this.#pending = [];
  }

  #addRow(name: string, entry: StoredEntry, isLatest: boolean): void {
    const row = this.#names.length;
    const isCold = !this.#place(entry, isLatest);
    this.#names.push(name);
    this.#versions.push(entry.version);
    this.#flags.push((entry.deletedAtMs === null ? 0 : DELETED) | (isLatest ? LATEST : 0) | (isCold ? COLD : 0));
    this.#changedAtMs.push(changedAtMs(entry));
    this.#terms.add(row, entry.tags, tagTerm);
    this.#terms.add(row, entry.facets, facetTerm);
    const text = foldCase(`${name}\0${entry.title ?? ''}\0${entry.description}`);
    if (text !== this.#lastText || row === 0) {
      this.#lastText = text;
      this.#rowsOfTexts.push(row);
      this.#words.add(text);
    }
  }

  /** Writes what is sent of an entry; false when its document had to be left out. */
  #place(entry: StoredEntry, isLatest: boolean): boolean {
    const { serverJson } = entry;
    const tail = `,"_meta":{"io.modelcontextprotocol.registry/official":${toOfficialBlock(entry, isLatest)}}},`;
    const tailBytes = Buffer.byteLength(tail);
    const wholeBytes = HEAD.length + serverJson.length + tailBytes;
    const fits = this.#slabs.bytes + wholeBytes <= this.#room;
    this.#slabOf.push(this.#slabs.reserve(fits ? wholeBytes : tailBytes));
    const start = fits ? this.#slabs.put(HEAD) : undefined;
    if (fits) this.#slabs.put(serverJson);
    const tailStart = this.#slabs.putText(tail);
    this.#starts.push(start ?? tailStart);
    this.#ends.push(tailStart + tailBytes - 1);
    return fits;
  }
}

function newestFirst(entries: readonly StoredEntry[]): readonly StoredEntry[] {
  return entries.length === 1 ? entries : entries.toSorted(byPublicationThenPrecedence);
}

function byPublicationThenPrecedence(a: StoredEntry, b: StoredEntry): number {
  return (
    b.publishedAtMs - a.publishedAtMs ||
    compareVersions(b.version, a.version) ||
    compareCodePoints(b.version, a.version)
  );
}
