import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ReadsCatalogue } from '../auth/requirement.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import type { Answer } from '#read-model/answer.js';
import { API_ROOTS } from './api-roots.js';
import { CatalogueAnswers } from './catalogue-answers.js';
import { decodedAgain } from './decoded-again.js';
import { ListQuerySchema, ServerQuerySchema } from './list-query.js';
import { parseQuery } from './malformed.js';
import { missingServer, missingVersion } from './missing-server.js';
import {
  ApiOperations,
  belowEachRoot,
  pageParameters,
  pathParameter,
  serverNameParameter,
} from './openapi/operation.js';
import type { Operation, Parameter } from './openapi/operation.js';
import { includeDeleted, serverFilters } from './openapi/server-filters.js';
import { serverNameOf } from './server-name.js';

/**
 * The generic MCP registry API. The name of a server is one path segment with an encoded slash, or two segments,
 * because a proxy may decode it.
 *
 * The handlers take the raw request, because the injected parameters of other controllers cost more than a complete
 * response.
 */
@ReadsCatalogue()
@ApiOperations(() => belowEachRoot(({ path, name, scope }) => serverOperations(path, `${name}Servers`, scope)))
@Controller(API_ROOTS.map((root) => `${root}/servers`))
export class ServersController {
  constructor(private readonly answers: CatalogueAnswers) {}

  @Get()
  list(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void | Promise<void> {
    return this.answers.sendKept(request, reply, {
      kind: 'list',
      parse: () => parseQuery(ListQuerySchema, request),
      find: (reader, query) => reader.list(query),
    });
  }

  @Get([':name/versions', ':namespace/:name/versions'])
  versions(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void | Promise<void> {
    return this.answers.send(request, reply, (reader) => findVersions(reader, serverNameOf(request), request));
  }

  @Get([':name/versions/:version', ':namespace/:name/versions/:version'])
  version(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void | Promise<void> {
    return this.answers.send(request, reply, (reader) => {
      const name = serverNameOf(request);
      const { version } = request.params as { readonly version: string };
      // A name without a slash is not a server name, so `a/versions/versions` requests all versions of the server
      // `a/versions`.
      if (!decodedAgain(name).includes('/') && version === 'versions')
        return findVersions(reader, `${name}/versions`, request);
      return findVersion(reader, name, version, request);
    });
  }
}

function findVersions(reader: CatalogueReader, name: string, request: FastifyRequest): Answer {
  const { includeDeleted } = parseQuery(ServerQuerySchema, request);
  const answer = reader.versions(name, includeDeleted) ?? reader.versions(decodedAgain(name), includeDeleted);
  if (!answer) throw missingServer(decodedAgain(name));
  return answer;
}

function findVersion(reader: CatalogueReader, name: string, version: string, request: FastifyRequest): Answer {
  const { includeDeleted } = parseQuery(ServerQuerySchema, request);
  const answer =
    reader.version(name, version, includeDeleted) ??
    reader.version(decodedAgain(name), decodedAgain(version), includeDeleted);
  if (!answer) throw missingVersion(decodedAgain(name), decodedAgain(version));
  return answer;
}

/** Describes the generic registry API below one root, such as `/v0.1`. */
export function serverOperations(
  root: string,
  idPrefix: string,
  scope: readonly Parameter[] = [],
): readonly Operation[] {
  const shared = { method: 'get', tag: 'Servers', isCached: true } as const;
  return [
    {
      ...shared,
      path: `${root}/servers`,
      id: `${idPrefix}List`,
      summary: 'Lists servers, sorted by name and version (code point order)',
      parameters: [...scope, ...pageParameters, ...serverFilters],
      success: { status: 200, answer: 'ServerList', headers: ['X-Total-Count'] },
      problems: [404, 503],
    },
    {
      ...shared,
      path: `${root}/servers/{serverName}/versions`,
      id: `${idPrefix}Versions`,
      summary: 'Lists all versions of a server, newest first',
      parameters: [...scope, serverNameParameter, includeDeleted],
      success: { status: 200, answer: 'ServerList' },
      problems: [404, 503],
    },
    {
      ...shared,
      path: `${root}/servers/{serverName}/versions/{version}`,
      id: `${idPrefix}Version`,
      summary: 'Gets one version of a server',
      parameters: [...scope, serverNameParameter, pathParameter('version', 'A version, or `latest`.'), includeDeleted],
      success: { status: 200, answer: 'ServerResponse' },
      problems: [404, 503],
    },
  ];
}
