import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { Refusal } from './refusal.js';
import type { RegistryDirectory, ServedRegistry } from './served-registry.js';

const SERVED_REGISTRY = Symbol('registry that a request is for');
const ADDRESS_PREFIX = Symbol('part of the URL that named it');

type ScopedMessage = IncomingMessage & {
  [SERVED_REGISTRY]?: ServedRegistry | undefined;
  [ADDRESS_PREFIX]?: string;
};

/**
 * A namespace and a name (RFC 1123 labels) at the start of a path. Before them may be the origin, if a client sends the
 * whole URL (RFC 9112, 3.2.2), or the well-known part that RFC 9728 inserts before the path of a resource.
 */
const PREFIX =
  /^(?:https?:\/\/[^/?#]*)?(\/\.well-known\/oauth-protected-resource)?(\/([a-z0-9-]+)\/([a-z0-9-]+))(?=[/?#]|$)/i;

interface Address {
  /** The registry served at this URL; undefined if there is none. */
  readonly registry: ServedRegistry | undefined;
  /** The `/{namespace}/{name}` that selected the registry, if any. */
  readonly prefix?: string;
  /** The URL without the prefix. */
  readonly rest: string;
}

/**
 * Resolves a URL to a registry. If `/{namespace}/{name}` could also be a path of the registry at `/`, it selects the
 * registry with that name, so that each registry has a URL that always works.
 */
export function resolveAddress(url: string, directory: RegistryDirectory): Address {
  const found = PREFIX.exec(url);
  const named = found ? directory.find(found[3] as string, found[4] as string) : undefined;
  if (!found || !named) return { registry: directory.default(), rest: url };
  const [whole, wellKnown = '', prefix = ''] = found;
  const rest = `${wellKnown}${url.slice(whole.length)}`;
  return { registry: named, prefix, rest: rest.startsWith('/') ? rest : `/${rest}` };
}

/**
 * Determines the registry that a request is for. Returns its URL for routes and controllers, which know only one
 * registry.
 */
export function scopeToRegistry(message: ScopedMessage, directory: RegistryDirectory): string {
  const { registry, prefix, rest } = resolveAddress(message.url ?? '/', directory);
  message[SERVED_REGISTRY] = registry;
  if (prefix !== undefined) message[ADDRESS_PREFIX] = prefix;
  return rest;
}

/** Returns the registry that a request is for; undefined if this process serves none at this URL. */
export function findServedRegistry(request: FastifyRequest): ServedRegistry | undefined {
  return (request.raw as ScopedMessage)[SERVED_REGISTRY];
}

/** Returns the registry that a request is for; throws a Refusal if this process serves none at this URL. */
export function getServedRegistry(request: FastifyRequest): ServedRegistry {
  const registry = findServedRegistry(request);
  if (!registry) throw new Refusal('unknown', 'no registry is served at this URL');
  return registry;
}

/** Returns the prefix of the path that selected the registry: `/{namespace}/{name}`, or an empty string. */
export function getAddressPrefix(request: FastifyRequest): string {
  return (request.raw as ScopedMessage)[ADDRESS_PREFIX] ?? '';
}
