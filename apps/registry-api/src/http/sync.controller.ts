import { Controller, HttpCode, Param, Post } from '@nestjs/common';
import { readSources } from '#persistence/read-sources.js';
import { Writes } from '../auth/requirement.js';
import type { StartedSync } from '#domain/server-messages.js';
import type { CatalogueScope } from '../catalogue/catalogue.js';
import type { ServedRegistry } from '../served-registry.js';
import { SyncTrigger } from '../sync/sync-trigger.js';
import { ViewDatabase } from '#persistence/view-database.js';
import { Problem } from './problem.js';
import { Scope, Served } from './served-scope.js';

/** Syncs now, for callers who are known; answers when the syncs have started, not when they are done. */
@Writes()
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
