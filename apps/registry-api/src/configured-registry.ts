import type { RegistryRef } from '#domain/registry-ref.js';
import type { LiveConfig } from './resources/live-config.js';
import { toServedRegistry } from './served-registry.js';
import type { RegistryDirectory, ServedRegistry } from './served-registry.js';

/**
 * Returns the directory of the one registry that is served here, with its current configuration for each request. See
 * `onlyRegistry`.
 */
export function configuredRegistry({ namespace, name, uid }: RegistryRef, config: LiveConfig): RegistryDirectory {
  let known: { readonly of: object; readonly registry: ServedRegistry } | undefined;
  const current = (): ServedRegistry => {
    const { spec } = config;
    if (known?.of !== spec) {
      known = { of: spec, registry: toServedRegistry({ namespace, name, uid }, spec) };
    }
    return known.registry;
  };
  return { find: () => undefined, default: current, all: () => [current()] };
}
