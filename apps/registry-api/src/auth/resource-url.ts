import type { FastifyRequest } from 'fastify';
import type { OAuth } from '#spec/auth-spec.js';
import { getAddressPrefix, getServedRegistry } from '../request-registry.js';
import type { ServedRegistry } from '../served-registry.js';
import { trimmedEnd } from '#domain/trimmed-end.js';

export const METADATA_PATH = '/.well-known/oauth-protected-resource';

/** A host with an optional port. Answers repeat it for each entry, so it must not be longer than a name can be. */
const HOST = /^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** Returns the URL that identifies a registry as a resource (RFC 9728): the configured one, or else the one of the request. */
export function resourceUrlOf(request: FastifyRequest, { resourceUrl }: OAuth): string | undefined {
  return resourceUrl ?? publicBaseOf(request);
}

/**
 * Returns the URL of the root of a registry for clients, without a trailing slash: the configured one, or else that of
 * the request. Headers of proxies are ignored, because anybody could send them and responses with such URLs are cached.
 */
export function publicBaseOf(request: FastifyRequest): string | undefined {
  const served = getServedRegistry(request);
  const { publicUrl, auth } = served;
  if (publicUrl !== undefined) return withoutSlash(publicUrl);
  const resourceUrl = auth.mode === 'oauth' ? auth.oauth.resourceUrl : undefined;
  // The configured resource may be a part of the registry.
  if (resourceUrl !== undefined) return withoutPart(withoutSlash(resourceUrl), served);
  const origin = originOf(request);
  return origin && `${origin}${getAddressPrefix(request)}`;
}

/**
 * Returns the URL of a part of the registry as a resource of its own, which clients compare with the URL that they were
 * given. `path` is the path of the part within the registry, or the whole path of the resource, as in RFC 9728, section
 * 3.1.
 */
export function partUrlOf(request: FastifyRequest, { resourceUrl }: OAuth, path: string): string | undefined {
  if (resourceUrl === undefined) {
    const origin = originOf(request);
    return origin && `${origin}${getAddressPrefix(request)}${path}`;
  }
  const whole = withoutSlash(resourceUrl);
  // The configured resource may be a part itself.
  if (whole.endsWith(path)) return resourceUrl;
  const { origin, pathname } = new URL(withoutPart(whole, getServedRegistry(request)));
  const base = withoutSlash(pathname);
  return `${origin}${base}${path.startsWith(`${base}/`) ? path.slice(base.length) : path}`;
}

/** Removes `/registry/{name}` from the end of a URL if it refers to a part of the registry. */
function withoutPart(url: string, { sources, views = [] }: ServedRegistry): string {
  const [, rest, name = ''] = /^(.*)\/registry\/([^/]+)$/.exec(url) ?? [];
  const isPart = sources.includes(name) || views.some((view) => view.name === name);
  return rest !== undefined && isPart ? rest : url;
}

/**
 * Returns the URL of the metadata. It is below the resource rather than before its path, so that a proxy routes both in
 * the same way.
 */
export function metadataUrlOf(request: FastifyRequest, oauth: OAuth): string | undefined {
  const resource = resourceUrlOf(request, oauth);
  return resource && `${withoutSlash(resource)}${METADATA_PATH}`;
}

/** Returns the origin as the client wrote it; undefined if the Host header is not a valid host. */
export function originOf(request: FastifyRequest): string | undefined {
  const { host } = request.headers;
  if (host === undefined || !HOST.test(host)) return undefined;
  const origin = `${request.protocol}://${host}`;
  // Not a valid URL, for example because of the host 1.2.3.4.5 or an impossible port.
  return URL.canParse(origin) ? origin : undefined;
}

function withoutSlash(url: string): string {
  return trimmedEnd(url, '/');
}
