import type { ServerIdentity } from '#spec/server-config.js';
import type { LiveConfig } from './resources/live-config.js';
import { toServedRegistry } from './served-registry.js';
import type { RegistryDirectory, ServedRegistry } from './served-registry.js';

/** The one registry that is served here, as its configuration has it at the moment of a request. See `onlyRegistry`. */
export function configuredRegistry({ namespace, name }: ServerIdentity, config: LiveConfig): RegistryDirectory {
  let known: { readonly of: object; readonly registry: ServedRegistry } | undefined;
  const current = (): ServedRegistry => {
    const { spec } = config;
    if (known?.of !== spec) {
      known = { of: spec, registry: toServedRegistry({ namespace, name }, spec) };
    }
    return known.registry;
  };
  return { find: () => undefined, default: current, all: () => [current()] };
}
