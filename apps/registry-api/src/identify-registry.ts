import type { ServeConfig } from '#environment/serve-config.js';
import type { ServerIdentity } from '#spec/server-config.js';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryRef } from '#domain/registry-ref.js';

/** Returns the registry whose server this is: by the environment that the operator sets, else by the configuration. */
export function identifyRegistry({ registry }: ServeConfig, said: Partial<ServerIdentity>): RegistryRef {
  const { namespace = said.namespace ?? 'default', name = said.name, uid } = registry;
  if (name !== undefined && uid !== undefined) return { namespace, name, uid };
  const message =
    'REGISTRY_NAME and REGISTRY_UID must name the MCPRegistry whose server this is, as the operator sets them; ' +
    'to serve a registry without an operator, use the command standalone';
  throw new RegistryError('ValidationFailed', message, 'stop');
}
