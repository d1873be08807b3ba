import { open, rename, stat } from 'node:fs/promises';

const ROTATED_ABOVE_BYTES = 10 * 1024 * 1024;
const TAIL_BYTES = 4096;
const TAIL_LINES = 12;

/** Prevents a log from filling the disk: a large one is renamed to `<file>.1` and replaces the previous one. */
export async function rotateLog(file: string): Promise<void> {
  const size = await stat(file).then(
    (stats) => stats.size,
    () => 0,
  );
  if (size > ROTATED_ABOVE_BYTES) await rename(file, `${file}.1`);
}

/** Returns the last lines, at most 12, of what was written at or after `from` (in bytes). Empty if there are none. */
export async function lastLines(file: string, from: number): Promise<string> {
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  const start = Math.max(from, size - TAIL_BYTES);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(TAIL_BYTES), 0, TAIL_BYTES, start);
  return buffer.subarray(0, bytesRead).toString().trim().split('\n').slice(-TAIL_LINES).join('\n');
}
