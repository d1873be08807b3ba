import { Controller, Param } from '@nestjs/common';
import { readSources } from '#persistence/read-sources.js';
import type { CatalogueScope } from '../../catalogue/catalogue.js';
import { ViewDatabase } from '#persistence/view-database.js';
import { Problem } from '../problem.js';
import { Scope } from '../served-scope.js';
import { GetFresh } from './get-fresh.js';
import { toSourceView } from './source-view.js';
import { describeView } from './describe-view.js';
import { ApiOperations } from '../openapi/operation.js';

/** The admin API of an earlier generation, in which each source was a registry of its own. */
@ApiOperations(() => [
  describeView(
    '/extension/v0/registries',
    'listSourceRegistries',
    'Lists the sources, as registries',
    'SourceRegistryList',
  ),
  describeView('/extension/v0/registries/{name}', 'getSourceRegistry', 'Gets one source, as a registry', 'Source'),
])
@Controller('extension/v0/registries')
export class ExtensionRegistriesController {
  constructor(private readonly database: ViewDatabase) {}

  @GetFresh()
  async list(@Scope() scope: CatalogueScope): Promise<object> {
    return { registries: (await readSources(this.database, scope)).map(toSourceView) };
  }

  @GetFresh(':name')
  async get(@Scope() scope: CatalogueScope, @Param('name') name: string): Promise<object> {
    const source = (await readSources(this.database, scope)).find((each) => each.name === name);
    if (!source) throw new Problem(404, `no registry is called "${name}"`);
    return toSourceView(source);
  }
}
