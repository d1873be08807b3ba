import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ReadsCatalogue } from '../auth/requirement.js';
import { Catalogue } from '../catalogue/catalogue-reader.js';
import type { Answer, CatalogueReader, CatalogueScope, ListQuery } from '../catalogue/catalogue-reader.js';
import { sendAnswer } from './answer.js';
import { ListQuerySchema, ServerQuerySchema } from './list-query.js';
import type { ServerQuery } from './list-query.js';
import { Scope } from './served-scope.js';
import { missingServer, missingVersion } from './missing-server.js';

/** One source, all sources of the registry, and the same again under the older version number. */
const ROOTS = ['registry/:source/v0.1', 'registry/:source/v0', 'registry/v0.1', 'registry/v0', 'v0.1', 'v0'];

/**
 * The generic MCP registry API. A server's name is one path segment with an encoded slash, or two segments, because
 * proxies on the way may decode it.
 */
@ReadsCatalogue()
@Controller(ROOTS.map((root) => `${root}/servers`))
export class ServersController {
  constructor(private readonly catalogue: Catalogue) {}

  @Get()
  list(
    @Scope() scope: CatalogueScope,
    @Query({ schema: ListQuerySchema }) query: ListQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void | Promise<void> {
    const reader = this.catalogue.reader(scope);
    return sendAnswer(request, reply, reader, reader.list(query));
  }

  @Get(':name/versions')
  versions(
    @Scope() scope: CatalogueScope,
    @Param('name') name: string,
    @Query({ schema: ServerQuerySchema }) query: ServerQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void | Promise<void> {
    const reader = this.catalogue.reader(scope);
    return sendAnswer(request, reply, reader, findVersions(reader, name, query));
  }

  @Get(':namespace/:name/versions')
  versionsOfTwoSegments(
    @Scope() scope: CatalogueScope,
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Query({ schema: ServerQuerySchema }) query: ServerQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void | Promise<void> {
    const reader = this.catalogue.reader(scope);
    return sendAnswer(request, reply, reader, findVersions(reader, `${namespace}/${name}`, query));
  }

  @Get(':name/versions/:version')
  version(
    @Scope() scope: CatalogueScope,
    @Param('name') name: string,
    @Param('version') version: string,
    @Query({ schema: ServerQuerySchema }) query: ServerQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void | Promise<void> {
    const reader = this.catalogue.reader(scope);
    // Without a slash it is no name: `a/versions/versions` asks for all versions of the server `a/versions`.
    const isTwoSegmentName = !name.includes('/') && version === 'versions';
    const answer = isTwoSegmentName
      ? findVersions(reader, `${name}/versions`, query)
      : findVersion(reader, name, version, query);
    return sendAnswer(request, reply, reader, answer);
  }

  @Get(':namespace/:name/versions/:version')
  versionOfTwoSegments(
    @Scope() scope: CatalogueScope,
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Param('version') version: string,
    @Query({ schema: ServerQuerySchema }) query: ServerQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void | Promise<void> {
    const reader = this.catalogue.reader(scope);
    return sendAnswer(request, reply, reader, findVersion(reader, `${namespace}/${name}`, version, query));
  }
}

function findVersions(reader: CatalogueReader, name: string, { includeDeleted }: ServerQuery): Answer {
  const answer = reader.versions(name, includeDeleted);
  if (!answer) throw missingServer(name);
  return answer;
}

function findVersion(reader: CatalogueReader, name: string, version: string, { includeDeleted }: ServerQuery): Answer {
  const answer = reader.version(name, version, includeDeleted);
  if (!answer) throw missingVersion(name, version);
  return answer;
}
