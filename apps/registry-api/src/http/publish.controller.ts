import { Body, Controller, Delete, Header, HttpCode, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Writes } from '../auth/requirement.js';
import type { CatalogueScope } from '../catalogue/catalogue-reader.js';
import { PublishedEntries } from '../publish/published-entries.js';
import { API_ROOTS } from './api-roots.js';
import { Problem } from './problem.js';
import { Scope } from './served-scope.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Publishes to managed sources and takes back, as the generic registry API has it. */
@Writes()
@Controller([...API_ROOTS])
export class PublishController {
  constructor(private readonly entries: PublishedEntries) {}

  /** The generic API says 200; below a source's name, where the older admin API had it, it is 201. */
  @Post('publish')
  @Header('content-type', JSON_TYPE)
  async publish(
    @Scope() scope: CatalogueScope,
    @Param('source') source: string | undefined,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    const answer = await this.entries.publish(scope, bytesOf(body));
    reply.status(source === undefined ? 200 : 201);
    return answer;
  }

  @Delete('servers/:name/versions/:version')
  @Header('content-type', JSON_TYPE)
  remove(
    @Scope() scope: CatalogueScope,
    @Param('name') name: string,
    @Param('version') version: string,
  ): Promise<Buffer> {
    return this.entries.remove(scope, name, version);
  }

  @Delete('servers/:namespace/:name/versions/:version')
  @Header('content-type', JSON_TYPE)
  removeOfTwoSegments(
    @Scope() scope: CatalogueScope,
    @Param('namespace') namespace: string,
    @Param('name') name: string,
    @Param('version') version: string,
  ): Promise<Buffer> {
    return this.entries.remove(scope, `${namespace}/${name}`, version);
  }
}

/** The same as the admin API of today has it, for the one managed source of a registry. */
@Writes()
@Controller('v1/entries')
export class EntriesController {
  constructor(private readonly entries: PublishedEntries) {}

  @Post()
  @HttpCode(201)
  @Header('content-type', JSON_TYPE)
  publish(@Scope() scope: CatalogueScope, @Body() body: unknown): Promise<Buffer> {
    return this.entries.publish(scope, bytesOf(body), 'server');
  }

  @Delete('server/:name/versions/:version')
  @HttpCode(204)
  async remove(
    @Scope() scope: CatalogueScope,
    @Param('name') name: string,
    @Param('version') version: string,
  ): Promise<void> {
    await this.entries.remove(scope, name, version);
  }
}

/** JSON comes as bytes, so that what is published keeps its own words; see `http-server.ts`. */
function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  throw new Problem(415, 'the body must be JSON: send it with content-type application/json');
}
