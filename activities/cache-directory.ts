import { hash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isRegistryUid } from '#domain/registry-ref.js';

/**
 * Returns the folder below `root` that belongs to this registry alone. Throws if `uid` is not a UUID, so that a crafted
 * uid cannot lead to another folder.
 */
export function registryDirectory(root: string, uid: string): string {
  if (!isRegistryUid(uid)) throw new Error('the uid of the registry is not a UUID, so it does not identify a folder');
  return join(root, uid);
}

/**
 * Returns the folder of one source. Its name is a hash, so that neither the length nor the characters of the source's
 * name matter.
 */
export function sourceDirectory(root: string, uid: string, source: string): string {
  return join(registryDirectory(root, uid), hash('sha256', source).slice(0, HASH_LENGTH));
}

const HASH_LENGTH = 16;
const HASH = new RegExp(`^[0-9a-f]{${HASH_LENGTH}}$`);

/** Removes the folders of sources that the registry no longer has. Idempotent. */
export async function removeOtherSources(root: string, uid: string, sources: readonly string[]): Promise<void> {
  const kept = new Set(sources.map((source) => sourceDirectory(root, uid, source)));
  const folder = registryDirectory(root, uid);
  await removeEntries(folder, (name) => HASH.test(name) && !kept.has(join(folder, name)));
}

/** Removes the entries of a folder whose names match. A folder that does not exist is empty. */
export async function removeEntries(folder: string, matches: (name: string) => boolean): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return [];
  });
  for (const name of names.filter(matches)) await rm(join(folder, name), { recursive: true, force: true });
}
