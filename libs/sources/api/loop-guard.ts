import { RegistryError } from '#domain/registry-error.js';
import type { ApiLimits } from './api-context.js';
import type { PageOutline, WalkOptions } from '../pages.js';

/** Detects a list that has no end: nothing that a registry says about the next page is trusted. */
export class LoopGuard {
  readonly #limits: ApiLimits;
  readonly #cursors = new Set<string>();
  readonly #digests = new Set<string>();
  #pages = 0;
  #entries: number;
  #bytes: number;
  readonly #pagesBefore: number;

  /** What an earlier try of the walk has stored counts as well. */
  constructor({ cursor, stored }: WalkOptions, limits: ApiLimits) {
    this.#limits = limits;
    this.#pagesBefore = stored?.pages ?? 0;
    this.#entries = stored?.entries ?? 0;
    this.#bytes = stored?.bytes ?? 0;
    if (cursor !== undefined) this.#cursors.add(cursor);
  }

  /** How far the walk is, for people. */
  get note(): string {
    return `page ${this.#pages}, ${this.#entries} entries`;
  }

  /**
   * Counts the bytes of an answer before anything of it is stored. Throws a RegistryError `InvalidData` with destiny `stop` when the list
   * has more of them than are read.
   */
  admitBytes(bytes: number, url: string): void {
    this.#bytes += bytes;
    const { maxBytes } = this.#limits;
    if (this.#bytes > maxBytes) throw tooMuch(url, `has more than ${maxBytes} bytes`);
  }

  /** Counts a page. Throws a RegistryError `InvalidData` when it was there before, leads back, or is one too many. */
  admit({ entries, nextCursor, digest }: PageOutline, url: string): void {
    const page = ++this.#pages;
    this.#entries += entries;
    const { maxPages, maxEntries } = this.#limits;
    const refuse = (what: string) => new RegistryError('InvalidData', `${url} ${what}.`);
    if (this.#entries > maxEntries) throw tooMuch(url, `has more than ${maxEntries} entries`);
    if (entries > 0 && this.#digests.has(digest)) throw refuse(`gives the same entries again as page ${page}`);
    this.#digests.add(digest);
    if (nextCursor === undefined) return;
    if (this.#cursors.has(nextCursor)) throw refuse(`gives a cursor on page ${page} that it gave before`);
    if (this.#pagesBefore + page >= maxPages) throw tooMuch(url, `has more than ${maxPages} pages`);
    this.#cursors.add(nextCursor);
  }
}

/** No retry makes such a list shorter. */
function tooMuch(url: string, what: string): RegistryError {
  return new RegistryError('InvalidData', `${url} ${what}, the most that are read: mirror a smaller registry.`, 'stop');
}
