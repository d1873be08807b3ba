import type { ByteBudget } from '../byte-budget.js';
import type { Answer, Body, Composition } from '#read-model/answer.js';
import type { Compressor, Encoding } from './compressor.js';

/** Smaller bodies fit into a packet or two as they are. */
const LEAST_COMPRESSED_BYTES = 1400;
/** A body of more parts than a page of usual size has is not kept: each part takes memory of its own. */
const KEPT_PARTS = 64;
/** Memory of one part of a body: a view on memory of the catalogue, and its place in the queue of a socket. */
const PART_BYTES = 256;
/** Times that a document is in memory when it comes from the database: as a message, as text and as bytes. */
export const COPIES_OF_FETCHED = 3;
/** An answer of fewer bytes costs less than the connection that it is sent over, and is not charged. */
const FREE_BYTES = 16 * 1024;

/** A body in one encoding, and all that has to be known to send it. */
export interface SentBody {
  readonly encoding: Encoding;
  readonly parts: Body;
  readonly bytes: number;
  /** The number of entries on all pages, for a list. */
  readonly total: number | undefined;
}

/** A body for one client: `release` has to be called when it is sent or given up. */
export interface AdmittedBody extends SentBody {
  readonly release?: () => void;
}

/** What all answers of a process share. */
export interface AnswerResources {
  readonly compressor: Compressor;
  readonly memory: ByteBudget;
}

/** The answer to one query in one state of the catalogue, with what was made of it so far. */
export class PreparedAnswer {
  #plain: SentBody | undefined;
  #compressed: Map<Encoding, Promise<SentBody>> | undefined;
  readonly #answer: Answer;
  readonly #resources: AnswerResources;
  readonly #onKept: ((bytes: number) => void) | undefined;

  /** `onKept` is called with the bytes of memory that the answer takes beside the catalogue's own. */
  constructor(answer: Answer, resources: AnswerResources, onKept?: (bytes: number) => void) {
    this.#answer = answer;
    this.#resources = resources;
    this.#onKept = onKept;
  }

  /** Returns the body, a promise only when it is not at hand. Throws `Overloaded` when there is no memory to send it. */
  body(encoding: Encoding): AdmittedBody | Promise<AdmittedBody> {
    const known = this.#compressed?.get(encoding);
    if (known) return known;
    if (this.#plain) return this.#encode(this.#plain, encoding);
    return this.#compose(encoding);
  }

  #compose(encoding: Encoding): AdmittedBody | Promise<AdmittedBody> {
    const composition = this.#answer.compose();
    const cost = costOf(composition);
    const release = cost > FREE_BYTES ? this.#resources.memory.acquire(cost) : undefined;
    const toSent = (parts: Body): AdmittedBody | Promise<AdmittedBody> => {
      const plain = toPlain(parts, composition.total);
      // A body with documents from the database is not kept: it would take the memory that was to be saved.
      if (composition.fetchedBytes === 0 && parts.length <= KEPT_PARTS && this.#onKept) {
        this.#plain = plain;
        this.#onKept(parts.length * PART_BYTES + (composition.ownBytes ?? 0));
      }
      return withRelease(this.#encode(plain, encoding), release);
    };
    try {
      const body = composition.body();
      if (!(body instanceof Promise)) return toSent(body);
      return body.then(toSent).catch((error: unknown) => {
        release?.();
        throw error;
      });
    } catch (error) {
      release?.();
      throw error;
    }
  }

  /** Concurrent requests for one answer share one compression; a request that finds no free slot gets the plain body. */
  #encode(plain: SentBody, encoding: Encoding): SentBody | Promise<SentBody> {
    if (encoding === 'identity' || plain.bytes < LEAST_COMPRESSED_BYTES) return plain;
    const compressing = this.#resources.compressor.tryCompress(plain.parts, plain.bytes, encoding);
    if (!compressing) return plain;
    const sent = compressing.then((parts) => {
      const body = { ...plain, encoding, parts, bytes: sumOf(parts) };
      this.#onKept?.(body.bytes);
      return body;
    });
    if (this.#onKept) this.#share(encoding, sent);
    return sent;
  }

  #share(encoding: Encoding, sent: Promise<SentBody>): void {
    const compressed = (this.#compressed ??= new Map());
    compressed.set(encoding, sent);
    sent.catch(() => compressed.delete(encoding));
  }
}

/** Reserves memory for an answer. Throws `Overloaded` when it is not free. */
export function acquireForAnswer(memory: ByteBudget, bytes: number): () => void {
  return bytes > FREE_BYTES ? memory.acquire(bytes) : () => undefined;
}

function costOf({ partCount, fetchedBytes, ownBytes = 0 }: Composition): number {
  return partCount * PART_BYTES + fetchedBytes * COPIES_OF_FETCHED + ownBytes;
}

function withRelease(
  body: SentBody | Promise<SentBody>,
  release: (() => void) | undefined,
): AdmittedBody | Promise<AdmittedBody> {
  if (!release) return body;
  if (body instanceof Promise) return body.then((sent) => ({ ...sent, release }));
  return { ...body, release };
}

function toPlain(parts: Body, total: number | undefined): SentBody {
  return { encoding: 'identity', parts, bytes: sumOf(parts), total };
}

function sumOf(parts: Body): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
