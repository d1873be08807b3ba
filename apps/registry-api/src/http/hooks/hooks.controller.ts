import { Body, Controller, Get, Header, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Delivery } from '#webhooks/webhook.js';
import { Public } from '../../auth/requirement.js';
import { publicBaseOf } from '../../auth/resource-url.js';
import type { ServedRegistry } from '../../served-registry.js';
import { ApiOperations, pathParameter } from '../openapi/operation.js';
import { Served } from '../served-scope.js';
import { HookDeliveries } from './hook-deliveries.js';

/** Path of deliveries. Their bodies are kept as bytes, whatever their type. */
export const HOOK_ROUTE = '/v1/hooks/:name';

/** Receives signed webhook deliveries, and lists the webhooks for callers with a login. */
@ApiOperations(() => [
  {
    method: 'get',
    path: '/v1/hooks',
    tag: 'Registries and sources',
    id: 'listHooks',
    summary: 'Lists the webhooks, with the time of the last accepted and the last rejected delivery to each',
    success: { status: 200, answer: 'HookList' },
  },
  {
    method: 'post',
    path: '/v1/hooks/{name}',
    tag: 'Registries and sources',
    id: 'deliverHook',
    summary: 'Accepts a signed webhook delivery, which starts a sync of its sources',
    parameters: [pathParameter('name', 'Name of the webhook.')],
    isPublic: true,
    success: {
      status: 202,
      answer: 'HookDelivery',
      description: 'Verified; the sources are synced shortly afterwards. An ignored or duplicate delivery gets 200.',
    },
    problems: [401, 404, 415, 503],
  },
])
@Controller('v1/hooks')
export class HooksController {
  constructor(private readonly deliveries: HookDeliveries) {}

  @Get()
  @Header('cache-control', 'no-store')
  list(@Served() registry: ServedRegistry, @Req() request: FastifyRequest): object {
    const { webhooks = [] } = registry;
    const root = publicBaseOf(request) ?? '';
    const hooks = webhooks.map(({ name, type, sources }) => {
      const { lastVerified, lastRefused } = this.deliveries.journal.find(registry, name) ?? {};
      const url = `${root}/v1/hooks/${name}`;
      return { name, type, url, sources, ...(lastVerified && { lastVerified }), ...(lastRefused && { lastRefused }) };
    });
    return { hooks };
  }

  /** Receives a delivery. The signature replaces the login. The response is sent before any sync starts. */
  @Public()
  @Post(':name')
  @Header('cache-control', 'no-store')
  async deliver(
    @Served() registry: ServedRegistry,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Param('name') name: string,
    @Body() body: unknown,
  ): Promise<object> {
    const answer = await this.deliveries.deliver(registry, name, toDelivery(request, body));
    reply.status(answer.status);
    return answer.body;
  }
}

/**
 * Converts a request to a delivery. A header that was sent twice counts as empty, because it is unknown which one a
 * proxy has checked.
 */
function toDelivery({ raw }: FastifyRequest, body: unknown): Delivery {
  const headers = raw.headersDistinct;
  return {
    header(name) {
      const values = headers[name];
      return values && (values.length === 1 ? values[0] : '');
    },
    body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
    nowMs: Date.now(),
  };
}
