import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';

const BLOCK_BYTES = 128 * 1024;

/**
 * Reads a file from the beginning. Each block is valid until the next one is requested.
 *
 * For threads that do nothing else: reads are synchronous, because passing each block through the thread pool takes
 * longer than copying it from the page cache. Between two blocks, it yields to the event loop, so that the results of
 * the last block are sent to the database while the next one is parsed. With larger blocks, the database would run out
 * of work.
 */
export async function* readBlocks(file: FileHandle): AsyncGenerator<Buffer> {
  const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  for (let position = 0; ; await setImmediate()) {
    const bytesRead = readSync(file.fd, block, 0, BLOCK_BYTES, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield block.subarray(0, bytesRead);
  }
}
