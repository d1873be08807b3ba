import { Controller, Get, NotFoundException, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AccessControl } from '../../auth/access-control.js';
import type { LoginEndpoints } from '../../auth/discovery.js';
import { Public } from '../../auth/requirement.js';
import { stateTag } from '#read-model/state-tag.js';
import type { ServedRegistry } from '../../served-registry.js';
import { negotiateEncoding } from '../accept-encoding.js';
import { prefersHtml } from '../accepted-types.js';
import { BuildInfo } from '../build-info.js';
import { TAG_SUFFIXES } from '../catalogue-state.js';
import { matchEntityTag } from '../entity-tag.js';
import { findServedRegistry, getAddressPrefix, getServedRegistry } from '../../request-registry.js';
import { ApiOperations } from '../openapi/operation.js';
import { GetFresh } from '../views/get-fresh.js';
import { ConsoleFiles } from './console-files.js';
import type { ConsoleFile } from './console-files.js';
import { loginOf, toConsoleView } from './console-view.js';
import { securityHeaders } from './security-headers.js';

/**
 * Link from the page to the manifest for agents (Agentic Resource Discovery). It is relative, like all references of
 * the page.
 */
const MANIFEST_LINK = '<.well-known/ard.json>; rel="ard"';

/**
 * Serves the console: the page at the root for clients that prefer HTML, its assets, and the data that it needs at its
 * start.
 */
@Public()
@ApiOperations(() => [
  {
    method: 'get',
    tag: 'Registries and sources',
    path: '/v1/console',
    id: 'getConsole',
    summary: 'Returns the configuration of the console: the registry, and how users sign in',
    success: { status: 200, answer: 'Console' },
    problems: [404],
    isPublic: true,
  },
])
@Controller()
export class ConsoleController {
  constructor(
    private readonly files: ConsoleFiles,
    private readonly access: AccessControl,
    private readonly build: BuildInfo,
  ) {}

  @Get()
  async page(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    void reply.header('vary', 'Accept');
    const registry = findServedRegistry(request);
    const { page } = this.files;
    if (!registry || !page || !isEnabled(registry) || !prefersHtml(request.headers.accept)) {
      throw new NotFoundException();
    }
    const directory = missingSlash(request);
    if (directory !== undefined) return void reply.code(308).header('location', directory).send();
    const headers = securityHeaders((await this.endpoints(registry))?.tokenEndpoint);
    const own = { link: MANIFEST_LINK, 'cache-control': 'no-cache', vary: 'Accept, Accept-Encoding' };
    send(request, reply, page, { ...headers, ...own });
  }

  @Get('console/:file')
  asset(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Param('file') name: string): void {
    const registry = findServedRegistry(request);
    const file = registry && isEnabled(registry) ? this.files.find(name) : undefined;
    if (!file) throw new NotFoundException();
    const caching = file.isHashed ? 'public, max-age=31536000, immutable' : 'public, no-cache';
    send(request, reply, file, { ...securityHeaders(), 'cache-control': caching, vary: 'Accept-Encoding' });
  }

  @GetFresh('v1/console')
  async view(@Req() request: FastifyRequest): Promise<object> {
    const registry = getServedRegistry(request);
    if (!isEnabled(registry)) throw new NotFoundException();
    return toConsoleView(registry, this.build.version, await this.endpoints(registry));
  }

  private async endpoints(registry: ServedRegistry): Promise<LoginEndpoints | undefined> {
    const login = loginOf(registry);
    return login && this.access.loginEndpoints(registry, login.provider);
  }
}

function isEnabled({ console }: ServedRegistry): boolean {
  return console?.enabled ?? true;
}

/**
 * Returns the location that a request for `/{namespace}/{name}` without a trailing slash is redirected to; undefined if
 * the slash is there. The page needs the slash, because all its references are relative. The location is relative too,
 * so that it works behind any proxy.
 */
function missingSlash(request: FastifyRequest): string | undefined {
  const prefix = getAddressPrefix(request);
  const [path = '', query] = request.originalUrl.split('?', 2);
  if (prefix === '' || path.endsWith('/')) return undefined;
  const name = prefix.slice(prefix.lastIndexOf('/') + 1);
  const search = query === undefined ? '' : `?${query.replace(/[^\x21-\x7e]/g, encodeURIComponent)}`;
  return `${name}/${search}`;
}

/** Sends a file in the encoding that the client prefers, or 304 if the client has it with the same headers. */
function send(
  request: FastifyRequest,
  reply: FastifyReply,
  { bodies, contentType, hash: fileHash }: ConsoleFile,
  headers: Readonly<Record<string, string>>,
): void {
  const encoding = negotiateEncoding(request.headers['accept-encoding']);
  const policy = headers['content-security-policy'] ?? '';
  const tag = `"${stateTag([fileHash, policy])}${TAG_SUFFIXES[encoding]}"`;
  void reply.headers({ ...headers, etag: tag });
  if (matchEntityTag(request.headers['if-none-match'], [tag]) !== undefined) return void reply.code(304).send();
  if (encoding !== 'identity') void reply.header('content-encoding', encoding);
  void reply.header('content-type', contentType).send(bodies[encoding]);
}
