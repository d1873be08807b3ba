import { Controller, HttpCode, Param, Post } from '@nestjs/common';
import { readSources } from '#persistence/read-sources.js';
import { Writes } from '../auth/requirement.js';
import type { CatalogueScope } from '../catalogue/catalogue-reader.js';
import { SyncTrigger } from '../sync/sync-trigger.js';
import { ViewDatabase } from '../view-database.js';
import { Problem } from './problem.js';
import { Scope } from './served-scope.js';

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
    return this.start(scope, name);
  }

  @Post('registries/:name/sync')
  @HttpCode(202)
  async registry(@Scope() scope: CatalogueScope, @Param('name') name: string): Promise<object> {
    if (name !== scope.registry) throw new Problem(404, `no registry is called "${name}"`);
    return this.start(scope, undefined);
  }

  private async start({ namespace, registry }: CatalogueScope, source: string | undefined): Promise<object> {
    return { syncs: await this.trigger.start({ namespace, name: registry }, source) };
  }
}
