import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createBrotliCompress, createGzip } from 'node:zlib';
import type { Body } from '#read-model/answer.js';

export type Encoding = 'identity' | 'gzip' | 'br';

/**
 * About as dense as the usual level of gzip, and twice as fast. Higher levels are for files that are compressed once.
 */
const BROTLI_QUALITY = 4;
/** Base-2 logarithm of the window, which accounts for most of the memory of a compression. */
const BROTLI_WINDOW = 20;

/** Small parts are joined up to this size, because each write to a compressor is a task of its own. */
const BATCH_BYTES = 64 * 1024;

const streams = {
  gzip: () => createGzip(),
  br: (bytes: number) =>
    createBrotliCompress({
      params: {
        [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
        [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes,
      },
    }),
};

/** Compresses bodies chunk by chunk. At most `slots` compressions run at the same time, without a queue. */
export class Compressor {
  #free: number;

  constructor(slots: number) {
    this.#free = slots;
  }

  /** Starts a compression; returns undefined if no slot is free. */
  tryCompress(parts: Body, bytes: number, encoding: Exclude<Encoding, 'identity'>): Promise<Body> | undefined {
    if (this.#free === 0) return undefined;
    this.#free--;
    return this.#compress(parts, bytes, encoding).finally(() => this.#free++);
  }

  async #compress(parts: Body, bytes: number, encoding: Exclude<Encoding, 'identity'>): Promise<Body> {
    const compressed: Buffer[] = [];
    await pipeline(Readable.from(inBatches(parts)), streams[encoding](bytes), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) compressed.push(chunk);
    });
    return compressed;
  }
}

function* inBatches(parts: Body): Generator<Buffer> {
  let batch: Buffer[] = [];
  let bytes = 0;
  for (const part of parts) {
    if (bytes + part.length > BATCH_BYTES && batch.length > 0) {
      yield joined(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(part);
    bytes += part.length;
  }
  if (batch.length > 0) yield joined(batch);
}

function joined(batch: readonly Buffer[]): Buffer {
  return batch.length === 1 ? (batch[0] as Buffer) : Buffer.concat(batch);
}
