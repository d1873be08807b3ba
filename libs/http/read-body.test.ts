import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readBody, UnknownEncoding } from './read-body.js';

describe('reading a body', () => {
  it.each(Object.getOwnPropertyNames(Object.prototype))('refuses the content encoding %s', async (encoding) => {
    for (const spelled of [encoding, ` ${encoding.toUpperCase()} `]) {
      await expect(readBody(Readable.from([Buffer.from('x')]), spelled, 10)).rejects.toThrow(UnknownEncoding);
    }
  });

  it('unpacks known encodings, and shortens the name of an unknown one', async () => {
    expect((await readBody(Readable.from([gzipSync('text')]), ' GZIP ', 100)).toString()).toBe('text');
    const refused = await readBody(Readable.from([]), 'x'.repeat(10_000), 10).catch((error: unknown) => error as Error);
    expect((refused as Error).message.length).toBeLessThan(200);
  });
});
