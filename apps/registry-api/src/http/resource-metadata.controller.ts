import { Controller, Param, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { OAuth } from '#spec/auth-spec.js';
import { Public } from '../auth/requirement.js';
import { METADATA_PATH, partUrlOf, resourceUrlOf } from '../auth/resource-url.js';
import { Problem } from './problem.js';
import { getServedRegistry } from '../request-registry.js';
import { GetFresh } from './views/get-fresh.js';

/** Segments of a path that means the same however it is read. */
const PLAIN_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+)+$/;

/**
 * Tells clients who issues tokens for a registry (RFC 9728): at the root, in the form that has the path of the resource
 * behind it (section 3.1), and below the address of a part, which is where challenges lead when that is the resource.
 */
@Public()
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
  if (!PLAIN_PATH.test(path)) throw new Problem(404, 'no resource is served at this address');
  return toMetadata(oauth, partUrlOf(request, oauth, path));
}

function oauthOf(request: FastifyRequest): OAuth {
  const { auth } = getServedRegistry(request);
  if (auth.mode === 'oauth') return auth.oauth;
  throw new Problem(404, 'this registry is open to everybody: its auth.mode is anonymous');
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
