import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from './documents/write-file-atomically.js';

/**
 * Tells the owner of this data directory from others that use the same Temporal server: whoever answered for a registry
 * that it has no document of would take it for deleted. Made at first sight; the caller holds the directory's lock.
 */
export function ensureInstanceId(dataDirectory: string): Promise<string> {
  return keptId(join(dataDirectory, 'instance-id'));
}

/**
 * Keys the hashes of Secrets, which stand in Temporal's histories: who reads those must not be able to guess a weak password by
 * its hash (docs/decisions/0013). Nobody but the owner of the data directory can read it.
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
