import { Injectable, SetMetadata } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../http/problem.js';
import { getServedRegistry } from '../http/served-scope.js';

const PUBLIC = Symbol('public');

/** Marks handlers that answer without a login. A mark on the handler, because paths can be written in many ways. */
export const Public = () => SetMetadata(PUBLIC, true);

/**
 * Lets a request through when its registry is open to everybody. Anything else is refused, valid tokens included, until
 * there is something that validates them.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    if (this.reflector.getAllAndOverride<boolean>(PUBLIC, [context.getHandler(), context.getClass()])) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (getServedRegistry(request).access === 'anonymous') return true;
    const message = request.headers.authorization
      ? 'token validation failed'
      : 'missing or malformed authorization header';
    throw new Problem(401, message, { 'www-authenticate': 'Bearer realm="mcp-registry"' });
  }
}
