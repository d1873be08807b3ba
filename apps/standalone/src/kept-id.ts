import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from './documents/write-file-atomically.js';

/**
 * Returns the id that distinguishes this data directory from others on the same Temporal server. Without it, a process
 * could handle a registry of another directory, find no document, and treat the registry as deleted. The first call
 * creates the id. The caller must hold the lock of the directory.
 */
export function ensureInstanceId(dataDirectory: string): Promise<string> {
  return keptId(join(dataDirectory, 'instance-id'));
}

/**
 * Returns the key for the hashes of Secrets in Temporal's histories, because a reader of the histories must not be able
 * to guess a weak password from its hash (docs/decisions/0013). Only the owner of the data directory can read the key.
 */
export function ensureReferenceKey(dataDirectory: string): Promise<string> {
  return keptId(join(dataDirectory, 'reference-key'));
}

async function keptId(path: string): Promise<string> {
  const known = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (known.trim()) return known.trim();
  const id = randomUUID();
  await writeFileAtomically(path, `${id}\n`);
  return id;
}
