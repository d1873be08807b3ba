import type { Cursor } from './cursor.js';

/** The parts of a body, which are sent in order. They are shared memory, so they must never be written to. */
export type Body = readonly Buffer[];

/** A JSON response. No work is done for it until it is composed. */
export interface Answer {
  /**
   * Returns work that takes long and has to be done before the answer is composed, or undefined if there is none. Absent
   * if there never is any.
   */
  prepare?(): (() => void | Promise<void>) | undefined;
  compose(): Composition;
}

/** A body that is ready to be composed, with its cost. Nothing has been allocated or fetched for it yet. */
export interface Composition {
  /** The number of entries on all pages of this list. */
  readonly total?: number;
  /** The last entry of this page, if there is another page. */
  readonly next?: Cursor['after'];
  /** Number of parts that the body will have. */
  readonly partCount: number;
  /** Size in bytes of the documents that must be fetched from the database. */
  readonly fetchedBytes: number;
  /** Size in bytes of a body that does not consist of the catalogue's own memory, or an upper bound. */
  readonly ownBytes?: number;
  /** Composes the body. Returns a promise only if documents must be fetched or if it takes long. */
  body(): Body | Promise<Body>;
}
