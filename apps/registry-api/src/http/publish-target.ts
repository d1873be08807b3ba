import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { grantedAccess } from '../auth/granted-access.js';
import type { PublishTarget } from '../publish/published-entries.js';
import { getServedRegistry } from '../request-registry.js';
import { scopeOf } from './served-scope.js';

/** Parameter decorator for handlers marked with `Writes`: the publish target and the identity of the caller. */
export const Target = createParamDecorator((_: unknown, context: ExecutionContext): PublishTarget => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const { caller } = grantedAccess(request.raw);
  if (!caller) throw new Error('a handler that writes was reached without a caller');
  const { provider, subject } = caller;
  const { uid, namePrefixes = new Map() } = getServedRegistry(request);
  return {
    scope: scopeOf(request),
    uid,
    namePrefixes,
    writer: { provider, subject, requestId: request.id },
  };
});
