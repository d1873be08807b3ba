import type { ServeConfig } from '#environment/serve-config.js';
import type { ServerIdentity } from '#spec/server-config.js';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryRef } from '#domain/registry-ref.js';

/**
 * Returns the registry that this server belongs to: from the environment that the operator sets, or else from the
 * configuration.
 */
export function identifyRegistry({ registry }: ServeConfig, said: Partial<ServerIdentity>): RegistryRef {
  const { namespace = said.namespace ?? 'default', name = said.name, uid } = registry;
  if (name !== undefined && uid !== undefined) return { namespace, name, uid };
  const message =
    'REGISTRY_NAME and REGISTRY_UID must identify the MCPRegistry of this server, as the operator sets them; ' +
    'to serve a registry without an operator, use the command standalone';
  throw new RegistryError('ValidationFailed', message, 'stop');
}
