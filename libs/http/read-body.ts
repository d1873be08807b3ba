import type { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { shortened } from '#domain/shortened.js';
import { TooLarge } from './http-failure.js';

/** The value of `Accept-Encoding` in requests. */
export const ACCEPTED_ENCODINGS = 'gzip, br';

/** A map, since a peer may send the name of a member that every object inherits. */
const DECODERS: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['br', createBrotliDecompress],
  ['deflate', createInflate],
]);

/** A content encoding that the request did not accept. */
export class UnknownEncoding extends Error {}

/**
 * Reads and unpacks a body. Throws TooLarge as soon as it has more than `maxBytes`, packed or unpacked: a few bytes can
 * unpack to any number of them, and any number of bytes to none.
 */
export async function readBody(body: Readable, encoding: string | undefined, maxBytes: number): Promise<Buffer> {
  const name = encoding?.trim().toLowerCase();
  const isPlain = !name || name === 'identity';
  const decoder = isPlain ? undefined : DECODERS.get(name)?.();
  if (!isPlain && !decoder) {
    body.destroy();
    throw new UnknownEncoding(`answered in content encoding "${shortened(name, 40)}", which was not asked for`);
  }
  const chunks: Buffer[] = [];
  const collect = async (stream: AsyncIterable<Buffer>) => {
    for await (const chunk of atMost(maxBytes, stream)) chunks.push(chunk);
  };
  if (decoder) await pipeline(body, (stream) => atMost(maxBytes, stream as AsyncIterable<Buffer>), decoder, collect);
  else await pipeline(body, collect);
  return Buffer.concat(chunks);
}

async function* atMost(limit: number, stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > limit) throw new TooLarge(limit);
    yield chunk;
  }
}
