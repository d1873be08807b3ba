import type { FileHandle } from 'node:fs/promises';

const BLOCK_BYTES = 256 * 1024;

/** Reads a file from its beginning. Each block is valid until the next one is asked for, which is being read meanwhile. */
export async function* readBlocks(file: FileHandle): AsyncGenerator<Buffer> {
  let [block, spare] = [Buffer.allocUnsafe(BLOCK_BYTES), Buffer.allocUnsafe(BLOCK_BYTES)];
  let position = 0;
  let reading = file.read(block, 0, BLOCK_BYTES, position);
  try {
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) return;
      position += bytesRead;
      reading = file.read(spare, 0, BLOCK_BYTES, position);
      yield block.subarray(0, bytesRead);
      [block, spare] = [spare, block];
    }
  } finally {
    // Whoever stops early has no use for how that read ends.
    await reading.catch(() => undefined);
  }
}
