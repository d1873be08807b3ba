import { ANSWER_BYTES } from './http-transport.js';

/** Maximum number of objects on a page. */
const MOST_OBJECTS = 500;
/**
 * Number of objects on the first page. It is small because the size of the objects is not known yet, and their authors
 * may have made them large on purpose.
 */
const FIRST_OBJECTS = 100;
/** Maximum bytes of a page with several objects. Once parsed, small values take several times as much memory. */
const PAGE_BYTES = 8 * 1024 * 1024;
/** Factor by which a page may have more objects than the previous one. */
const GROWTH = 4;

/**
 * Chooses how many objects the next page of a list should have, based on the size of those already read, because users
 * decide how large an object is.
 */
export class PageSize {
  #limit = FIRST_OBJECTS;

  get limit(): number {
    return this.#limit;
  }

  /** Maximum bytes of the next page. A page with a single object may have any size that the API server stores. */
  get maxBytes(): number {
    return this.#limit === 1 ? ANSWER_BYTES : PAGE_BYTES;
  }

  /**
   * Adapts the page size to a page that was read. Aims at half of the maximum bytes, because the next objects may be
   * larger.
   */
  noteRead(bytes: number, objects: number): void {
    if (objects === 0) return;
    const fitting = Math.floor((PAGE_BYTES / 2 / bytes) * objects);
    this.#limit = Math.max(1, Math.min(fitting, this.#limit * GROWTH, MOST_OBJECTS));
  }

  /** Reduces the page size after a page was too large. Returns false if that page was limited to a single object. */
  reduce(): boolean {
    if (this.#limit === 1) return false;
    this.#limit = Math.floor(this.#limit / GROWTH) || 1;
    return true;
  }
}
