import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from './documents/write-file-atomically.js';

/**
 * Tells the owner of this data directory from others that use the same Temporal server: whoever answered for a registry
 * that it has no document of would take it for deleted. Made at first sight; the caller holds the directory's lock.
 */
export async function ensureInstanceId(dataDirectory: string): Promise<string> {
  const path = join(dataDirectory, 'instance-id');
  const known = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (known.trim()) return known.trim();
  const id = randomUUID();
  await writeFileAtomically(path, `${id}\n`);
  return id;
}
