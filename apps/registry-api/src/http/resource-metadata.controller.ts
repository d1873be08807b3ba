import { Controller, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { OAuth } from '#config/auth-spec.js';
import { Public } from '../auth/requirement.js';
import { METADATA_PATH, partUrlOf, resourceUrlOf } from '../auth/resource-url.js';
import { Problem } from './problem.js';
import { getServedRegistry } from './served-scope.js';
import { GetFresh } from './views/get-fresh.js';

/** Segments of a path that means the same however it is read. */
const PLAIN_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+)+$/;

/**
 * Tells clients who issues tokens for a registry (RFC 9728): at the root, and in the form that has the path of the
 * resource behind it (section 3.1).
 */
@Public()
@Controller(METADATA_PATH.slice(1))
export class ResourceMetadataController {
  @GetFresh()
  root(@Req() request: FastifyRequest): object {
    const oauth = oauthOf(request);
    return toMetadata(oauth, resourceUrlOf(request, oauth));
  }

  @GetFresh('*')
  part(@Req() request: FastifyRequest): object {
    const oauth = oauthOf(request);
    const [path = ''] = request.url.slice(METADATA_PATH.length).split('?');
    if (!PLAIN_PATH.test(path)) throw new Problem(404, 'no resource is served at this address');
    return toMetadata(oauth, partUrlOf(request, oauth, path));
  }
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
