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

interface ServerPath {
  readonly namespace?: string;
  readonly name: string;
  readonly version: string;
}

/**
 * The generic MCP registry API. A server's name is one path segment with an encoded slash, or two segments, because
 * proxies on the way may decode it.
 *
 * These handlers take the request as it is: what other controllers have injected costs more than a whole answer.
 */
@ReadsCatalogue()
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
    return this.answers.send(request, reply, (reader) => findVersions(reader, nameOf(request), request));
  }

  @Get([':name/versions/:version', ':namespace/:name/versions/:version'])
  version(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void | Promise<void> {
    return this.answers.send(request, reply, (reader) => {
      const name = nameOf(request);
      const { version } = request.params as ServerPath;
      // Without a slash it is no name: `a/versions/versions` asks for all versions of the server `a/versions`.
      if (!decodedAgain(name).includes('/') && version === 'versions')
        return findVersions(reader, `${name}/versions`, request);
      return findVersion(reader, name, version, request);
    });
  }
}

function nameOf(request: FastifyRequest): string {
  const { namespace, name } = request.params as ServerPath;
  return namespace === undefined ? name : `${namespace}/${name}`;
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
