import { Controller, Param, Query } from '@nestjs/common';
import type { PageRequest } from '#persistence/page.js';
import { readRegistryEntries } from '#persistence/read-entries.js';
import type { RegistryEntryPlace } from '#persistence/read-entries.js';
import { findRegistry } from '#persistence/read-registry.js';
import type { RegistryRecord } from '#persistence/read-registry.js';
import { readSources } from '#persistence/read-sources.js';
import type { CatalogueScope } from '../../catalogue/catalogue.js';
import type { ServedRegistry } from '../../served-registry.js';
import { ViewDatabase } from '#persistence/view-database.js';
import { Scope, Served } from '../served-scope.js';
import { toRegistryEntryView } from './entry-view.js';
import { GetTagged } from './get-tagged.js';
import { getNamedRegistry, listRegistries } from './named-registry.js';
import { RegistryEntryPage, toMetadata } from './page-query.js';
import { describeView } from './describe-view.js';
import { ApiOperations, entryPageParameters } from '../openapi/operation.js';

/**
 * A registry according to the current admin API: a name for an ordered list of sources. An MCPRegistry is one registry,
 * unless its configuration defines several registries from its sources.
 */
@ApiOperations(() => [
  describeView(
    '/v1/registries',
    'listRegistries',
    'Lists the registry, or the registries that its spec defines',
    'RegistryList',
  ),
  describeView(
    '/v1/registries/{name}',
    'getRegistry',
    'Gets a registry: its sources, in order of precedence',
    'Registry',
  ),
  describeView(
    '/v1/registries/{name}/entries',
    'listRegistryEntries',
    'Lists the entries of all sources of a registry, including shadowed ones',
    'RegistryEntryList',
    entryPageParameters,
  ),
])
@Controller('v1/registries')
export class RegistriesController {
  constructor(private readonly database: ViewDatabase) {}

  @GetTagged()
  async list(@Scope() scope: CatalogueScope, @Served() served: ServedRegistry): Promise<object> {
    const whole = await findRegistry(this.database, scope);
    return { registries: whole ? listRegistries(whole, served).map(toRegistryView) : [] };
  }

  @GetTagged(':name')
  async get(
    @Scope() scope: CatalogueScope,
    @Served() served: ServedRegistry,
    @Param('name') name: string,
  ): Promise<object> {
    return toRegistryView(await getNamedRegistry(this.database, scope, served, name));
  }

  @GetTagged(':name/entries')
  async entries(
    @Scope() scope: CatalogueScope,
    @Served() served: ServedRegistry,
    @Param('name') name: string,
    @Query({ schema: RegistryEntryPage }) request: PageRequest<RegistryEntryPlace>,
  ): Promise<object> {
    const registry = await getNamedRegistry(this.database, scope, served, name);
    const sources = await readSources(this.database, scope);
    const ids = registry.sources.flatMap((each) => sources.find((source) => source.name === each)?.id ?? []);
    const page = await readRegistryEntries(this.database, ids, request);
    return { entries: page.items.map(toRegistryEntryView), metadata: toMetadata(page) };
  }
}

function toRegistryView({ name, displayName, sources, createdAt, updatedAt }: RegistryRecord): object {
  return { name, ...(displayName !== null && { displayName }), creationType: 'CONFIG', sources, createdAt, updatedAt };
}
