import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { getServedRegistry } from '../request-registry.js';
import { AccessControl } from './access-control.js';
import { isAdmitted } from './granted-access.js';
import { requirementOf } from './requirement.js';

/** Admits a request if its registry and its handler allow it; throws a Refusal with the reason otherwise. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly accessControl: AccessControl,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const requirement = requirementOf(this.reflector, context);
    if (requirement === 'nothing') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    // A request with a body was already admitted as a write before its body was read, and a write is the strictest
    // requirement.
    if (isAdmitted(request.raw)) return true;
    return this.accessControl.admit(request, getServedRegistry(request), requirement);
  }
}
