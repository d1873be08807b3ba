import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/**
 * Returns the server name in a path. The slash of the name is either escaped (`:name`) or plain (`:namespace/:name`).
 */
export function serverNameOf(request: FastifyRequest): string {
  const { namespace, name } = request.params as { readonly namespace?: string; readonly name: string };
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** Parameter decorator: the name of the server in the path. */
export const ServerName = createParamDecorator((_: unknown, context: ExecutionContext): string =>
  serverNameOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
