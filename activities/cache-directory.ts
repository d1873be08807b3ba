import { join } from 'node:path';
import { isRegistryUid } from '#domain/registry-ref.js';

/**
 * Returns the folder below `root` that belongs to one registry alone. Throws for anything that is not a UUID, so that no uid
 * leads to another folder.
 */
export function registryDirectory(root: string, uid: string): string {
  if (!isRegistryUid(uid)) throw new Error('the uid of the registry is not a UUID, so it names no folder');
  return join(root, uid);
}
