import { RegistryError } from '#domain/registry-error.js';
import type { ApiLimits } from './api-client.js';
import type { PageOutline } from './walk-pages.js';

/** Notices a list that has no end: nothing that a registry says about the next page is trusted. */
export class LoopGuard {
  readonly #limits: ApiLimits;
  readonly #cursors = new Set<string>();
  readonly #digests = new Set<string>();
  #pages = 0;
  #entries = 0;

  constructor(start: string | undefined, limits: ApiLimits) {
    this.#limits = limits;
    if (start !== undefined) this.#cursors.add(start);
  }

  /** How far the walk is, for people. */
  get note(): string {
    return `page ${this.#pages}, ${this.#entries} entries`;
  }

  /** Counts a page. Throws a RegistryError `InvalidData` when it was there before, leads back, or is one too many. */
  admit({ entries, nextCursor, digest }: PageOutline, url: string): void {
    const page = ++this.#pages;
    this.#entries += entries;
    const { maxPages, maxEntries } = this.#limits;
    const refuse = (what: string) => new RegistryError('InvalidData', `${url} ${what}.`);
    if (this.#entries > maxEntries) throw refuse(`has more than ${maxEntries} entries, the most that are read`);
    if (entries > 0 && this.#digests.has(digest)) throw refuse(`gives the same entries again as page ${page}`);
    this.#digests.add(digest);
    if (nextCursor === undefined) return;
    if (this.#cursors.has(nextCursor)) throw refuse(`gives a cursor on page ${page} that it gave before`);
    if (page >= maxPages) throw refuse(`has more than ${maxPages} pages, the most that are read`);
    this.#cursors.add(nextCursor);
  }
}
