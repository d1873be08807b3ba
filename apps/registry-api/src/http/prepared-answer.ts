import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Answer, Body } from '../catalogue/catalogue-reader.js';

export type Encoding = 'identity' | 'gzip' | 'br';

/** Smaller ones fit into a packet or two as they are. */
const LEAST_COMPRESSED_BYTES = 1400;
/** About as dense as gzip's usual level and twice as fast; higher ones are for files that are compressed once. */
const BROTLI_QUALITY = 4;

const compressors = {
  gzip: promisify(gzip) as (bytes: Buffer) => Promise<Buffer>,
  br: (bytes: Buffer) =>
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
};

/** More parts than a page of usual size has are not kept: each takes memory of its own. */
const KEPT_PARTS = 64;

/** A body in one encoding; all that has to be known of it to send it. */
export interface SentBody {
  readonly encoding: Encoding;
  readonly parts: Body;
  readonly bytes: number;
  /** How many entries there are on all pages, for a list. */
  readonly total: number | undefined;
}

/** An answer of one state of the catalogue, and what was made of it so far. */
export class PreparedAnswer {
  #plain: SentBody | undefined;
  #compressed: Map<Encoding, Promise<SentBody>> | undefined;
  readonly #answer: Answer;
  readonly #onKept: ((bytes: number) => void) | undefined;

  /** `onKept` is told of memory that is taken beside the catalogue's own. */
  constructor(answer: Answer, onKept?: (bytes: number) => void) {
    this.#answer = answer;
    this.#onKept = onKept;
  }

  /** Not a promise when it is at hand. */
  body(encoding: Encoding): SentBody | Promise<SentBody> {
    const known = this.#compressed?.get(encoding);
    if (known) return known;
    const plain = this.#plain ?? this.#compose();
    if (encoding === 'identity') return plain;
    if (plain instanceof Promise) return plain.then((body) => this.#compress(body, encoding));
    return this.#compress(plain, encoding);
  }

  #compose(): SentBody | Promise<SentBody> {
    const { body, total } = this.#answer.compose();
    // What comes from the database is not kept: it would take the memory that was to be saved.
    if (body instanceof Promise) return body.then((parts) => toPlain(parts, total));
    const plain = toPlain(body, total);
    if (body.length <= KEPT_PARTS) this.#plain = plain;
    return plain;
  }

  #compress(plain: SentBody, encoding: Exclude<Encoding, 'identity'>): SentBody | Promise<SentBody> {
    if (plain.bytes < LEAST_COMPRESSED_BYTES) return plain;
    const compressing = compressors[encoding](Buffer.concat(plain.parts)).then((bytes) => {
      this.#onKept?.(bytes.length);
      return { ...plain, encoding, parts: [bytes], bytes: bytes.length };
    });
    (this.#compressed ??= new Map()).set(encoding, compressing);
    return compressing;
  }
}

function toPlain(parts: Body, total: number | undefined): SentBody {
  return { encoding: 'identity', parts, bytes: parts.reduce((sum, part) => sum + part.length, 0), total };
}
