import { expect, it } from 'vitest';
import { ByteBudget } from '../byte-budget.js';
import { Compressor } from './compressor.js';
import { PreparedAnswer } from './prepared-answer.js';

class FailingCompressor extends Compressor {
  override tryCompress() {
    return Promise.reject(new Error('no memory to compress'));
  }
}

it.each([
  ['at hand', (body: Buffer[]) => body],
  ['fetched', (body: Buffer[]) => Promise.resolve(body)],
])('returns its memory when a body that is %s cannot be compressed', async (_, given) => {
  const memory = new ByteBudget(1_000_000);
  const parts = [Buffer.alloc(100_000)];
  const answer = new PreparedAnswer(
    { compose: () => ({ partCount: 1, fetchedBytes: 0, ownBytes: 100_000, body: () => given(parts) }) },
    { memory, compressor: new FailingCompressor(1) },
  );
  await expect(async () => answer.body('gzip')).rejects.toThrow('no memory to compress');
  expect(memory.usedBytes).toBe(0);
});
