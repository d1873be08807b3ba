import { Body, Controller, Get, Header, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Delivery } from '#webhooks/webhook.js';
import { Public } from '../../auth/requirement.js';
import { publicBaseOf } from '../../auth/resource-url.js';
import type { ServedRegistry } from '../../served-registry.js';
import { Served } from '../served-scope.js';
import { HookDeliveries } from './hook-deliveries.js';

/** The path of deliveries, below which bodies are kept as they are whatever their type. */
export const HOOK_ROUTE = '/v1/hooks/:name';

/** Takes signed deliveries of webhooks, and lists the webhooks for callers with a login. */
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

  /** The signature is the login. The answer comes before any sync starts. */
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

/** A header that was sent twice counts as empty: which of the two a proxy has checked is not known. */
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
