import { Controller, Param, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { OAuth } from '#spec/auth-spec.js';
import { Public } from '../auth/requirement.js';
import { METADATA_PATH, partUrlOf, resourceUrlOf } from '../auth/resource-url.js';
import { ApiOperations, pathParameter } from './openapi/operation.js';
import { Problem } from './problem.js';
import { getServedRegistry } from '../request-registry.js';
import { GetFresh } from './views/get-fresh.js';

/** A path of plain segments, which every parser interprets in the same way. */
const PLAIN_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+)+$/;

const METADATA = {
  method: 'get',
  tag: 'Operations',
  isPublic: true,
  success: { status: 200, answer: 'ResourceMetadata' },
  problems: [404],
} as const;

/**
 * Serves the metadata of a registry as a protected resource (RFC 9728), which names the providers that issue tokens for
 * it. It is available at the root, at the root with the path of the resource appended (section 3.1), and below the URL
 * of a part of the registry, to which the challenges of that part refer.
 */
@Public()
@ApiOperations(() => [
  {
    ...METADATA,
    path: '/.well-known/oauth-protected-resource',
    id: 'resourceMetadata',
    summary: 'Returns the issuers of tokens for this registry (RFC 9728); also with the path of a resource appended',
  },
  {
    ...METADATA,
    path: '/registry/{source}/.well-known/oauth-protected-resource',
    id: 'sourceResourceMetadata',
    summary: 'Returns the issuers of tokens for one source, which is a resource of its own (RFC 9728)',
    parameters: [pathParameter('source', 'Name of the source.')],
  },
])
@Controller()
export class ResourceMetadataController {
  @GetFresh(METADATA_PATH)
  root(@Req() request: FastifyRequest): object {
    const oauth = oauthOf(request);
    return toMetadata(oauth, resourceUrlOf(request, oauth));
  }

  @GetFresh(`${METADATA_PATH}/*`)
  part(@Req() request: FastifyRequest): object {
    const [path = ''] = request.url.slice(METADATA_PATH.length).split('?');
    return partMetadata(request, path);
  }

  @GetFresh(`registry/:source${METADATA_PATH}`)
  belowPart(@Req() request: FastifyRequest, @Param('source') source: string): object {
    return partMetadata(request, `/registry/${source}`);
  }
}

function partMetadata(request: FastifyRequest, path: string): object {
  const oauth = oauthOf(request);
  if (!PLAIN_PATH.test(path)) throw new Problem(404, 'no resource is served at this URL');
  return toMetadata(oauth, partUrlOf(request, oauth, path));
}

function oauthOf(request: FastifyRequest): OAuth {
  const { auth } = getServedRegistry(request);
  if (auth.mode === 'oauth') return auth.oauth;
  throw new Problem(404, 'this registry is open to everyone: its auth.mode is anonymous');
}

function toMetadata({ providers, scopesSupported }: OAuth, resource: string | undefined): object {
  if (resource === undefined) throw new Problem(400, 'the Host header does not name a host');
  return {
    resource,
    authorization_servers: providers.map(({ issuerUrl }) => issuerUrl),
    bearer_methods_supported: ['header'],
    scopes_supported: scopesSupported,
  };
}
