import { Controller, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AccessControl } from '../../auth/access-control.js';
import { getServedRegistry } from '../../request-registry.js';
import { GetFresh } from './get-fresh.js';

/** Who the caller is, as his identity provider has it, and what he may do. */
@Controller('v1/me')
export class MeController {
  constructor(private readonly access: AccessControl) {}

  @GetFresh()
  get(@Req() request: FastifyRequest): object {
    const { caller, mayWrite } = this.access.whoIs(request, getServedRegistry(request));
    return { subject: caller.subject, provider: caller.provider, roles: mayWrite ? ['manageEntries'] : [] };
  }
}
