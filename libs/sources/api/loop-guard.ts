import { RegistryError } from '#domain/registry-error.js';
import type { ApiLimits } from './api-context.js';
import type { PageOutline, WalkOptions } from '../pages.js';

/** Detects an endless list. Nothing that a registry says about the next page is trusted. */
export class LoopGuard {
  readonly #limits: ApiLimits;
  readonly #cursors = new Set<string>();
  readonly #digests = new Set<string>();
  #pages = 0;
  #entries: number;
  #bytes: number;
  readonly #pagesBefore: number;

  /** Creates a guard. Pages, entries and bytes that an earlier attempt of the walk has stored count as well. */
  constructor({ cursor, stored }: WalkOptions, limits: ApiLimits) {
    this.#limits = limits;
    this.#pagesBefore = stored?.pages ?? 0;
    this.#entries = stored?.entries ?? 0;
    this.#bytes = stored?.bytes ?? 0;
    if (cursor !== undefined) this.#cursors.add(cursor);
  }

  /** The progress of the walk in human-readable form. */
  get note(): string {
    return `page ${this.#pages}, ${this.#entries} entries`;
  }

  /**
   * Counts the bytes of a response before any of it is stored. Throws a RegistryError `InvalidData` with destiny `stop`
   * if the list has more bytes than are read.
   */
  admitBytes(bytes: number, url: string): void {
    this.#bytes += bytes;
    const { maxBytes } = this.#limits;
    if (this.#bytes > maxBytes) throw tooMuch(url, `has more than ${maxBytes} bytes`);
  }

  /**
   * Counts a page. Throws a RegistryError `InvalidData` if the page is a repetition, its cursor leads back, or it
   * exceeds a limit.
   */
  admit({ entries, nextCursor, digest }: PageOutline, url: string): void {
    const page = ++this.#pages;
    this.#entries += entries;
    const { maxPages, maxEntries } = this.#limits;
    const refuse = (what: string) => new RegistryError('InvalidData', `${url} ${what}.`);
    if (this.#entries > maxEntries) throw tooMuch(url, `has more than ${maxEntries} entries`);
    if (entries > 0 && this.#digests.has(digest)) throw refuse(`returns the same entries as page ${page} again`);
    this.#digests.add(digest);
    if (nextCursor === undefined) return;
    if (this.#cursors.has(nextCursor)) throw refuse(`returns a cursor on page ${page} that it has returned before`);
    if (this.#pagesBefore + page >= maxPages) throw tooMuch(url, `has more than ${maxPages} pages`);
    this.#cursors.add(nextCursor);
  }
}

/** Returns an error with destiny `stop`, because a retry does not make the list shorter. */
function tooMuch(url: string, what: string): RegistryError {
  return new RegistryError('InvalidData', `${url} ${what}, which is the limit: mirror a smaller registry.`, 'stop');
}
