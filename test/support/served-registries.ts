import type { RegistryDirectory, ServedRegistry } from '#registry-api/served-registry.js';

/** Several registries in one process; the first also at `/`. */
export function servedRegistries(registries: readonly ServedRegistry[]): RegistryDirectory {
  return {
    find: (namespace, name) => registries.find((one) => one.namespace === namespace && one.name === name),
    default: () => registries[0],
    all: () => registries,
  };
}
