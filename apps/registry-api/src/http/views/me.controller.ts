import { Controller, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AccessControl } from '../../auth/access-control.js';
import { getServedRegistry } from '../../request-registry.js';
import { GetFresh } from './get-fresh.js';
import { describeView } from './describe-view.js';
import { ApiOperations } from '../openapi/operation.js';

/** Reports the identity of the caller according to the identity provider, and the caller's rights. */
@ApiOperations(() => [{ ...describeView('/v1/me', 'getMe', 'Returns the identity of the caller', 'Me'), problems: [] }])
@Controller('v1/me')
export class MeController {
  constructor(private readonly access: AccessControl) {}

  @GetFresh()
  get(@Req() request: FastifyRequest): object {
    const { caller, mayWrite } = this.access.whoIs(request, getServedRegistry(request));
    return { subject: caller.subject, provider: caller.provider, roles: mayWrite ? ['manageEntries'] : [] };
  }
}
