import { SharedBytes } from '../byte-budget.js';
import type { ByteBudget } from '../byte-budget.js';
import type { Answer, Body, Composition } from '#read-model/answer.js';
import type { Compressor, Encoding } from './compressor.js';
import { FREE_BYTES } from './response-memory.js';

/** Minimum size for compression. Smaller bodies fit into a packet or two anyway. */
const LEAST_COMPRESSED_BYTES = 1400;
/**
 * Maximum number of parts of a cached body, about as many as a page of the usual size has. Each part takes additional
 * memory.
 */
const KEPT_PARTS = 64;
/** Memory of one part of a body: a view of the catalogue's memory, and its place in the send queue of a socket. */
const PART_BYTES = 256;
/** Number of copies in memory of a document that comes from the database: message, string and bytes. */
export const COPIES_OF_FETCHED = 3;

/** A body in one encoding, with everything needed to send it. */
export interface SentBody {
  readonly encoding: Encoding;
  readonly parts: Body;
  readonly bytes: number;
  /** Total number of entries on all pages; only for a list. */
  readonly total: number | undefined;
}

/** A body for one client. `release` must be called when it has been sent or the client is gone. */
export interface AdmittedBody extends SentBody {
  readonly release?: () => void;
}

/** Resources that all responses of a process share. */
export interface AnswerResources {
  readonly compressor: Compressor;
  readonly memory: ByteBudget;
}

/** A compressed body, whose memory all responses with it share. */
interface CompressedBody extends SentBody {
  readonly memory: SharedBytes;
}

/** The answer to one query in one state of the catalogue, with the bodies created from it so far. */
export class PreparedAnswer {
  #plain: SentBody | undefined;
  #compressed: Map<Encoding, Promise<CompressedBody>> | undefined;
  readonly #answer: Answer;
  readonly #resources: AnswerResources;
  readonly #onKept: ((bytes: number) => void) | undefined;

  /** `onKept` is called with the bytes that the answer takes in addition to the catalogue's own memory. */
  constructor(answer: Answer, resources: AnswerResources, onKept?: (bytes: number) => void) {
    this.#answer = answer;
    this.#resources = resources;
    this.#onKept = onKept;
  }

  /** Returns work that takes long and has to be done before the body is created; undefined if there is none. */
  prepare(encoding: Encoding): ReturnType<NonNullable<Answer['prepare']>> {
    return this.#plain || this.#compressed?.has(encoding) ? undefined : this.#answer.prepare?.();
  }

  /**
   * Returns the body, as a promise only if it has to be fetched or compressed. Throws `Overloaded` if there is not
   * enough memory to send it.
   */
  body(encoding: Encoding): AdmittedBody | Promise<AdmittedBody> {
    const known = this.#compressed?.get(encoding);
    if (known) return known.then((sent) => admitted(sent) ?? this.body('identity'));
    if (this.#plain) return this.#encode(this.#plain, encoding);
    return this.#compose(encoding);
  }

  #compose(encoding: Encoding): AdmittedBody | Promise<AdmittedBody> {
    const composition = this.#answer.compose();
    const cost = costOf(composition);
    const release = cost > FREE_BYTES ? this.#resources.memory.acquire(cost) : undefined;
    const toSent = (parts: Body): AdmittedBody | Promise<AdmittedBody> => {
      const plain = toPlain(parts, composition.total);
      // A body with documents from the database is not cached, because it would take the memory that storing them there
      // is meant to save.
      if (!this.#plain && composition.fetchedBytes === 0 && parts.length <= KEPT_PARTS && this.#onKept) {
        this.#plain = plain;
        this.#onKept(parts.length * PART_BYTES + (composition.ownBytes === undefined ? 0 : plain.bytes));
      }
      return this.#encode(release ? { ...plain, release } : plain, encoding);
    };
    const giveUp = (error: unknown): never => {
      release?.();
      throw error;
    };
    try {
      const body = composition.body();
      const sent = body instanceof Promise ? body.then(toSent) : toSent(body);
      return sent instanceof Promise ? sent.catch(giveUp) : sent;
    } catch (error) {
      return giveUp(error);
    }
  }

  /**
   * Compresses a body. Concurrent requests for one answer share one compression, and a request that finds no free slot
   * or not enough memory gets the plain body.
   */
  #encode(plain: AdmittedBody, encoding: Encoding): AdmittedBody | Promise<AdmittedBody> {
    if (encoding === 'identity' || plain.bytes < LEAST_COMPRESSED_BYTES) return plain;
    const compressing = this.#tryCompress(plain, encoding);
    if (!compressing) return plain;
    if (this.#onKept) this.#share(encoding, compressing);
    return compressing.then((sent) => {
      const compressed = admitted(sent);
      if (compressed) plain.release?.();
      return compressed ?? plain;
    });
  }

  #tryCompress(plain: SentBody, encoding: Exclude<Encoding, 'identity'>): Promise<CompressedBody> | undefined {
    const { compressor, memory } = this.#resources;
    const release = memory.tryAcquire(plain.bytes);
    const compressing = release && compressor.tryCompress(plain.parts, plain.bytes, encoding);
    if (!compressing) return void release?.();
    return compressing.finally(release).then((parts) => {
      const bytes = sumOf(parts);
      this.#onKept?.(bytes);
      return { encoding, parts, bytes, total: plain.total, memory: new SharedBytes(memory, bytes) };
    });
  }

  #share(encoding: Encoding, sent: Promise<CompressedBody>): void {
    const compressed = (this.#compressed ??= new Map());
    compressed.set(encoding, sent);
    sent.catch(() => compressed.delete(encoding));
  }
}

/** Reserves the memory of a compressed body for one response; returns undefined if there is not enough. */
function admitted({ memory, ...sent }: CompressedBody): AdmittedBody | undefined {
  const release = memory.tryHold();
  return release && { ...sent, release };
}

/** Reserves memory for a response. Throws `Overloaded` if not enough is free. */
export function acquireForAnswer(memory: ByteBudget, bytes: number): () => void {
  return bytes > FREE_BYTES ? memory.acquire(bytes) : () => undefined;
}

function costOf({ partCount, fetchedBytes, ownBytes = 0 }: Composition): number {
  return partCount * PART_BYTES + fetchedBytes * COPIES_OF_FETCHED + ownBytes;
}

function toPlain(parts: Body, total: number | undefined): SentBody {
  return { encoding: 'identity', parts, bytes: sumOf(parts), total };
}

function sumOf(parts: Body): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
