import type { FastifyRequest } from 'fastify';
import type { OAuth } from '#config/auth-spec.js';
import { getAddressPrefix } from '../http/served-scope.js';

export const METADATA_PATH = '/.well-known/oauth-protected-resource';

const HOST = /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/** The URL that identifies a registry as a resource (RFC 9728): as configured, or else where the request came to. */
export function resourceUrlOf(request: FastifyRequest, { resourceUrl }: OAuth): string | undefined {
  if (resourceUrl !== undefined) return resourceUrl;
  const origin = originOf(request);
  return origin && `${origin}${getAddressPrefix(request)}`;
}

/** A part of the registry as a resource of its own: clients compare it with the URL that they were given. */
export function partUrlOf(request: FastifyRequest, { resourceUrl }: OAuth, path: string): string | undefined {
  const origin = resourceUrl === undefined ? originOf(request) : new URL(resourceUrl).origin;
  const part = origin && `${origin}${getAddressPrefix(request)}${path}`;
  return isSame(part, resourceUrl) ? resourceUrl : part;
}

/** Below the resource rather than inserted before its path: whatever leads to the registry leads there as well. */
export function metadataUrlOf(request: FastifyRequest, oauth: OAuth): string | undefined {
  const resource = resourceUrlOf(request, oauth);
  return resource && `${withoutSlash(resource)}${METADATA_PATH}`;
}

/** As the client wrote it; undefined when its Host header is none. */
function originOf(request: FastifyRequest): string | undefined {
  const { host } = request.headers;
  return host !== undefined && HOST.test(host) ? `${request.protocol}://${host}` : undefined;
}

function isSame(url: string | undefined, other: string | undefined): boolean {
  return url !== undefined && other !== undefined && withoutSlash(url) === withoutSlash(other);
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
