import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from './documents/write-file-atomically.js';

/**
 * Returns the id that tells this data directory from others on the same Temporal server: a process that answered for a registry of
 * another directory would find no document and take it for deleted. Created by the first call; the caller holds the directory's lock.
 */
export function ensureInstanceId(dataDirectory: string): Promise<string> {
  return keptId(join(dataDirectory, 'instance-id'));
}

/**
 * Returns the key of the hashes of Secrets, which stand in Temporal's histories: a reader of those must not be able to guess a weak
 * password by its hash (docs/decisions/0013). Only the owner of the data directory can read the key.
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
