import { Body, Controller, Delete, Header, HttpCode, Param, Patch, Post, Put, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Public, Writes } from '../auth/requirement.js';
import { PublishedEntries } from '../publish/published-entries.js';
import type { ChangedVersions, PublishTarget } from '../publish/published-entries.js';
import { readStatusRequest } from '../publish/status-request.js';
import { validateServer } from '../publish/validate-server.js';
import type { ValidationResult } from '../publish/validate-server.js';
import { API_ROOTS } from './api-roots.js';
import { CostlyReads } from './costly-reads.js';
import { bytesOf } from './json-body.js';
import { ApiOperations } from './openapi/operation.js';
import { Problem } from './problem.js';
import { entryOperations, publishOperations, validateOperations } from './publish.operations.js';
import { Target } from './publish-target.js';
import { Served } from './served-scope.js';
import { ServerName } from './server-name.js';
import type { ServedRegistry } from '../served-registry.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/**
 * Publishes to managed sources, changes the status of published entries, and deletes them (the generic registry API).
 */
@Writes()
@ApiOperations(publishOperations)
@Controller([...API_ROOTS])
export class PublishController {
  constructor(private readonly entries: PublishedEntries) {}

  /** Responds with 200 like the generic API or, below the name of a source, with 201 like the older admin API. */
  @Post('publish')
  @Header('content-type', JSON_TYPE)
  async publish(
    @Target() target: PublishTarget,
    @Param('source') source: string | undefined,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer> {
    const answer = await this.entries.publish(target, bytesOf(body));
    reply.status(source === undefined ? 200 : 201);
    return answer;
  }

  @Delete(['servers/:name/versions/:version', 'servers/:namespace/:name/versions/:version'])
  @Header('content-type', JSON_TYPE)
  remove(
    @Target() target: PublishTarget,
    @ServerName() name: string,
    @Param('version') version: string,
  ): Promise<Buffer> {
    return this.entries.remove(target, name, version);
  }

  @Patch(['servers/:name/versions/:version/status', 'servers/:namespace/:name/versions/:version/status'])
  @Header('content-type', JSON_TYPE)
  async changeStatus(
    @Target() target: PublishTarget,
    @ServerName() name: string,
    @Param('version') version: string,
    @Body() body: unknown,
  ): Promise<Buffer> {
    const changed = await this.entries.changeStatus(target, { name, version }, readStatusRequest(bytesOf(body)));
    return changed.servers[0] as Buffer;
  }

  @Patch(['servers/:name/status', 'servers/:namespace/:name/status'])
  @Header('content-type', JSON_TYPE)
  async changeAll(@Target() target: PublishTarget, @ServerName() name: string, @Body() body: unknown): Promise<Buffer> {
    return toList(await this.entries.changeStatus(target, { name }, readStatusRequest(bytesOf(body))));
  }

  @Put(['servers/:name/versions/:version', 'servers/:namespace/:name/versions/:version'])
  replace(): never {
    throw new Problem(501, 'a published version never changes: publish another version, or change its status');
  }
}

/** Validates a server.json without a login, as `mcp-publisher` requests it, and stores nothing. */
@Public()
@ApiOperations(validateOperations)
@Controller([...API_ROOTS])
export class ValidateController {
  constructor(private readonly costly: CostlyReads) {}

  @Post('validate')
  @HttpCode(200)
  validate(
    @Served() _registry: ServedRegistry,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ValidationResult> {
    return this.costly.run(reply.raw, () => validateServer(bytesOf(body)));
  }
}

/** Publishes to the only managed source of a registry, like the admin API of ToolHive's registry server. */
@Writes()
@ApiOperations(entryOperations)
@Controller('v1/entries')
export class EntriesController {
  constructor(private readonly entries: PublishedEntries) {}

  @Post()
  @HttpCode(201)
  @Header('content-type', JSON_TYPE)
  publish(@Target() target: PublishTarget, @Body() body: unknown): Promise<Buffer> {
    return this.entries.publish(target, bytesOf(body), 'server');
  }

  @Delete('server/:name/versions/:version')
  @HttpCode(204)
  async remove(
    @Target() target: PublishTarget,
    @Param('name') name: string,
    @Param('version') version: string,
  ): Promise<void> {
    await this.entries.remove(target, name, version);
  }
}

/** Joins serialized ServerResponses into a list. */
function toList({ servers }: ChangedVersions): Buffer {
  const parts = servers.flatMap((server, at) => (at === 0 ? [server] : [Buffer.from(','), server]));
  return Buffer.concat([Buffer.from(`{"updatedCount":${servers.length},"servers":[`), ...parts, Buffer.from(']}')]);
}
