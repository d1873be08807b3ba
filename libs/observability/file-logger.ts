import { mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pino } from 'pino';
import type { Logger } from 'pino';

const KEPT_BYTES = 16 * 1024 * 1024;

/**
 * Creates a logger that writes JSON lines to a file, for a process whose terminal shows output for the user. Keeps one
 * rotated file.
 */
export async function createFileLogger(path: string, level: string): Promise<Logger> {
  await mkdir(dirname(path), { recursive: true });
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > KEPT_BYTES) await rename(path, `${path}.1`);
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: path, sync: false }),
  );
}
