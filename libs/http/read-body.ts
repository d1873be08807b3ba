import type { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { shortened } from '#domain/shortened.js';
import type { BodyHold } from './body-budget.js';
import { TooLarge } from './http-failure.js';

/** The value of `Accept-Encoding` in requests. */
export const ACCEPTED_ENCODINGS = 'gzip, br';

/** A Map rather than an object, because a peer may send the name of a property that every object inherits. */
const DECODERS: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['br', createBrotliDecompress],
  ['deflate', createInflate],
]);

/** Thrown for a content encoding that the request did not accept. */
export class UnknownEncoding extends Error {}

/**
 * Reads and decompresses a body. Throws TooLarge as soon as it exceeds `maxBytes`, either compressed or decompressed,
 * because a few bytes can decompress to any number of bytes, and any number of bytes can decompress to none.
 */
export async function readBody(
  body: Readable,
  encoding: string | undefined,
  maxBytes: number,
  hold?: BodyHold,
): Promise<Buffer> {
  const name = encoding?.trim().toLowerCase();
  const isPlain = !name || name === 'identity';
  const decoder = isPlain ? undefined : DECODERS.get(name)?.();
  if (!isPlain && !decoder) {
    body.destroy();
    throw new UnknownEncoding(`answered in content encoding "${shortened(name, 40)}", which was not requested`);
  }
  const chunks: Buffer[] = [];
  const collect = async (stream: AsyncIterable<Buffer>) => {
    for await (const chunk of atMost(maxBytes, stream)) {
      hold?.add(chunk.length);
      chunks.push(chunk);
    }
  };
  if (decoder) await pipeline(body, (stream) => atMost(maxBytes, stream as AsyncIterable<Buffer>), decoder, collect);
  else await pipeline(body, collect);
  return Buffer.concat(chunks);
}

/** Yields the chunks of a stream; throws TooLarge beyond the limit. */
export async function* atMost(limit: number, stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > limit) throw new TooLarge(limit);
    yield chunk;
  }
}
