import type { FastifyRequest } from 'fastify';
import type { OAuth } from '#spec/auth-spec.js';
import { getAddressPrefix, getServedRegistry } from '../request-registry.js';
import type { ServedRegistry } from '../served-registry.js';

export const METADATA_PATH = '/.well-known/oauth-protected-resource';

const HOST = /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/** Returns the URL that identifies a registry as a resource (RFC 9728): the configured one, or else the one of the request. */
export function resourceUrlOf(request: FastifyRequest, { resourceUrl }: OAuth): string | undefined {
  return resourceUrl ?? publicBaseOf(request);
}

/**
 * Returns the URL at which clients reach the root of a registry, without a slash at its end: the configured one, or else that of
 * the request. Headers of proxies are not read: anybody could send them, and answers with such URLs are cached.
 */
export function publicBaseOf(request: FastifyRequest): string | undefined {
  const served = getServedRegistry(request);
  const { publicUrl, auth } = served;
  if (publicUrl !== undefined) return withoutSlash(publicUrl);
  const resourceUrl = auth.mode === 'oauth' ? auth.oauth.resourceUrl : undefined;
  // The configured resource may be a part.
  if (resourceUrl !== undefined) return withoutPart(withoutSlash(resourceUrl), served);
  const origin = originOf(request);
  return origin && `${origin}${getAddressPrefix(request)}`;
}

/**
 * Returns the URL of a part of the registry as a resource of its own, which clients compare with the URL that they were
 * given. `path` is that of the part within the registry, or the whole path of the resource, as RFC 9728, section 3.1, has it.
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

/** Cuts `/registry/{name}` off the end of a URL, if that names a part of the registry. */
function withoutPart(url: string, { sources, views = [] }: ServedRegistry): string {
  const [, rest, name = ''] = /^(.*)\/registry\/([^/]+)$/.exec(url) ?? [];
  const isPart = sources.includes(name) || views.some((view) => view.name === name);
  return rest !== undefined && isPart ? rest : url;
}

/** Returns the address of the metadata, below the resource rather than before its path: a proxy routes both alike. */
export function metadataUrlOf(request: FastifyRequest, oauth: OAuth): string | undefined {
  const resource = resourceUrlOf(request, oauth);
  return resource && `${withoutSlash(resource)}${METADATA_PATH}`;
}

/** Returns the origin as the client wrote it; undefined when the Host header names no host. */
export function originOf(request: FastifyRequest): string | undefined {
  const { host } = request.headers;
  if (host === undefined || !HOST.test(host)) return undefined;
  const origin = `${request.protocol}://${host}`;
  // Such as 1.2.3.4.5, or a port that none is.
  return URL.canParse(origin) ? origin : undefined;
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
