import { rm } from 'node:fs/promises';
import { registryDirectory } from '#activities/cache-directory.js';
import type { RegistryWorld } from '#activities/registry/registry-world.js';
import type { RegistryCatalogue } from '#persistence/registry-catalogue.js';

/** Removes what is stored of a registry where no server of its own is run for it: its rows and its cached files. */
export function unprovisionStored(catalogue: RegistryCatalogue, cacheDirectory: string): RegistryWorld['unprovision'] {
  return async (registry) => {
    const directory = registryDirectory(cacheDirectory, registry.uid);
    await catalogue.removeRegistry(registry);
    await rm(directory, { recursive: true, force: true });
  };
}
