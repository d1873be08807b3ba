import { Controller, HttpCode, Param, Post } from '@nestjs/common';
import { readSources } from '#persistence/read-sources.js';
import { Writes } from '../auth/requirement.js';
import type { StartedSync } from '#domain/server-messages.js';
import type { CatalogueScope } from '../catalogue/catalogue.js';
import type { ServedRegistry } from '../served-registry.js';
import { SyncTrigger } from '../sync/sync-trigger.js';
import { ViewDatabase } from '#persistence/view-database.js';
import { ApiOperations, pathParameter } from './openapi/operation.js';
import { Problem } from './problem.js';
import { Scope, Served } from './served-scope.js';

const STARTS = {
  method: 'post',
  tag: 'Registries and sources',
  success: {
    status: 202,
    answer: 'StartedSyncs',
    description: 'The syncs have started. The list of runs shows when they have ended.',
  },
  problems: [404, 503],
} as const;

/**
 * Starts syncs for authenticated callers. The response is sent when the syncs have started, not when they have
 * finished.
 */
@Writes()
@ApiOperations(() => [
  {
    ...STARTS,
    path: '/v1/sources/{name}/sync',
    id: 'syncSource',
    summary: 'Syncs one source now',
    parameters: [pathParameter('name', 'Name of the source.')],
  },
  {
    ...STARTS,
    path: '/v1/registries/{name}/sync',
    id: 'syncRegistry',
    summary: 'Syncs all sources now',
    parameters: [pathParameter('name', 'Name of the registry.')],
  },
])
@Controller('v1')
export class SyncController {
  constructor(
    private readonly database: ViewDatabase,
    private readonly trigger: SyncTrigger,
  ) {}

  @Post('sources/:name/sync')
  @HttpCode(202)
  async source(@Scope() scope: CatalogueScope, @Param('name') name: string): Promise<object> {
    const sources = await readSources(this.database, scope);
    if (!sources.some((source) => source.name === name)) throw new Problem(404, `no source is called "${name}"`);
    return { syncs: await this.start(scope, name) };
  }

  @Post('registries/:name/sync')
  @HttpCode(202)
  async registry(
    @Scope() scope: CatalogueScope,
    @Served() { views = [] }: ServedRegistry,
    @Param('name') name: string,
  ): Promise<object> {
    const view = views.find((each) => each.name === name);
    if (!view && name !== scope.registry) throw new Problem(404, `no registry is called "${name}"`);
    const sources = view ? view.sources : [undefined];
    const started = await Promise.all(sources.map((source) => this.start(scope, source)));
    return { syncs: started.flat() };
  }

  private start({ namespace, registry }: CatalogueScope, source: string | undefined): Promise<readonly StartedSync[]> {
    return this.trigger.start({ namespace, name: registry }, source);
  }
}
