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
 * A namespace and a name (RFC 1123 labels) at the start of a path, below the origin where a client sends the whole URL
 * (RFC 9112, 3.2.2), or behind the well-known part that RFC 9728 inserts before the path of a resource.
 */
const PREFIX =
  /^(?:https?:\/\/[^/?#]*)?(\/\.well-known\/oauth-protected-resource)?(\/([a-z0-9-]+)\/([a-z0-9-]+))(?=[/?#]|$)/i;

interface Address {
  /** The one that is served there; undefined: none is. */
  readonly registry: ServedRegistry | undefined;
  /** The `/{namespace}/{name}` that named it, if one did. */
  readonly prefix?: string;
  /** The URL without it. */
  readonly rest: string;
}

/**
 * Which registry a URL leads to. Where `/{namespace}/{name}` could also be read as a path of the registry at `/`, it is
 * the address: that way each registry has one that always works.
 */
export function resolveAddress(url: string, directory: RegistryDirectory): Address {
  const found = PREFIX.exec(url);
  const named = found ? directory.find(found[3] as string, found[4] as string) : undefined;
  if (!found || !named) return { registry: directory.default(), rest: url };
  const [whole, wellKnown = '', prefix = ''] = found;
  const rest = `${wellKnown}${url.slice(whole.length)}`;
  return { registry: named, prefix, rest: rest.startsWith('/') ? rest : `/${rest}` };
}

/** Decides which registry a request is for; returns its URL as routes and controllers see it, who know of one registry only. */
export function scopeToRegistry(message: ScopedMessage, directory: RegistryDirectory): string {
  const { registry, prefix, rest } = resolveAddress(message.url ?? '/', directory);
  message[SERVED_REGISTRY] = registry;
  if (prefix !== undefined) message[ADDRESS_PREFIX] = prefix;
  return rest;
}

/** Returns the registry that a request is for; undefined when this process serves none at this address. */
export function findServedRegistry(request: FastifyRequest): ServedRegistry | undefined {
  return (request.raw as ScopedMessage)[SERVED_REGISTRY];
}

/** Returns the registry that a request is for; throws a Refusal when this process serves none at this address. */
export function getServedRegistry(request: FastifyRequest): ServedRegistry {
  const registry = findServedRegistry(request);
  if (!registry) throw new Refusal('unknown', 'no registry is served at this address');
  return registry;
}

/** What came before the path in the URL of a request: `/{namespace}/{name}`, or nothing. */
export function getAddressPrefix(request: FastifyRequest): string {
  return (request.raw as ScopedMessage)[ADDRESS_PREFIX] ?? '';
}
