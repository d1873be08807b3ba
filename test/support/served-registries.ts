import type { RegistryDirectory, ServedRegistry } from '#registry-api/served-registry.js';

/** Returns a directory of several registries in one process. The first one is also served at `/`. */
export function servedRegistries(registries: readonly ServedRegistry[]): RegistryDirectory {
  return {
    find: (namespace, name) => registries.find((one) => one.namespace === namespace && one.name === name),
    default: () => registries[0],
    all: () => registries,
  };
}
