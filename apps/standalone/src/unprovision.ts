import { rm } from 'node:fs/promises';
import { registryDirectory } from '#activities/cache-directory.js';
import type { RegistryWorld } from '#activities/registry/registry-world.js';
import { registryKey } from '#domain/registry-ref.js';
import type { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import type { DocumentStore } from './documents/document-store.js';

/**
 * Removes the rows and the cached files of a registry that has no server of its own. Files belong to a uid, so they
 * stay if that is the uid of a registry with another name.
 */
export function unprovisionStored(
  catalogue: RegistryCatalogue,
  documents: Pick<DocumentStore, 'registries'>,
  cacheDirectory: string,
): RegistryWorld['unprovision'] {
  return async (registry) => {
    const directory = registryDirectory(cacheDirectory, registry.uid);
    await catalogue.removeRegistry(registry);
    const isOfAnother = documents
      .registries()
      .some(({ ref }) => ref.uid === registry.uid && registryKey(ref) !== registryKey(registry));
    if (isOfAnother) return;
    await rm(directory, { recursive: true, force: true });
  };
}
