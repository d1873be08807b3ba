import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { OWN_NAME } from '#domain/own-name.js';
import { ReadsCatalogue } from '../auth/requirement.js';
import { API_ROOTS } from './api-roots.js';
import { CatalogueAnswers } from './catalogue-answers.js';
import { FilterQuerySchema } from './list-query.js';
import { parseQuery } from './malformed.js';
import { ApiOperations, belowEachRoot } from './openapi/operation.js';
import { serverFilters } from './openapi/server-filters.js';

/** Counts the servers of a list for each value that they can be filtered by. */
@ReadsCatalogue()
@ApiOperations(() =>
  belowEachRoot(({ path, name, scope }) => [
    {
      method: 'get',
      tag: 'Servers',
      path: `${path}/x/${OWN_NAME}/facets`,
      id: `${name}ServersFacets`,
      summary: 'Counts the servers of a list by each facet, ignoring the filter on that facet',
      parameters: [...scope, ...serverFilters],
      isCached: true,
      success: { status: 200, answer: 'Facets' },
      problems: [404, 503],
    },
  ]),
)
@Controller(API_ROOTS.map((root) => `${root}/x/${OWN_NAME}/facets`))
export class FacetsController {
  constructor(private readonly answers: CatalogueAnswers) {}

  @Get()
  facets(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void | Promise<void> {
    return this.answers.sendKept(request, reply, {
      kind: 'facets',
      parse: () => parseQuery(FilterQuerySchema, request),
      find: (reader, filter) => reader.facets(filter),
    });
  }
}
