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
