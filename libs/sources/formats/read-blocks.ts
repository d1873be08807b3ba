import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';

const BLOCK_BYTES = 128 * 1024;

/**
 * Reads a file from its beginning. Each block is valid until the next one is asked for.
 *
 * For threads that do nothing else: it waits for the disk on the spot, since handing each block through the thread pool
 * takes longer than copying it from the page cache. Between two blocks the event loop gets its turn, so that what was made
 * of the last one goes to the database while the next is parsed; of larger blocks the database would run dry.
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
