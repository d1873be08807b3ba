import type { Cursor } from './cursor.js';

/** The parts of a body, to be sent one after the other. Shared memory: never written to. */
export type Body = readonly Buffer[];

/** JSON that is ready to be sent. Nothing is done for it before it is composed. */
export interface Answer {
  compose(): Composition;
}

/** A body that can be composed, with what it costs: nothing is allocated or fetched for it yet. */
export interface Composition {
  /** The number of entries on all pages of this list. */
  readonly total?: number;
  /** The last entry of this page, when there is another page. */
  readonly next?: Cursor['after'];
  /** The number of parts that the body will have. */
  readonly partCount: number;
  /** Bytes of the documents that have to be fetched from the database. */
  readonly fetchedBytes: number;
  /** Bytes of a body that is not made of the catalogue's own memory. */
  readonly ownBytes?: number;
  /** Composes the body; a promise only when documents have to be fetched. */
  body(): Body | Promise<Body>;
}
