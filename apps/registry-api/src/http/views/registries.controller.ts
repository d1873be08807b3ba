import { Controller, Param } from '@nestjs/common';
import { findRegistry } from '#persistence/read-registry.js';
import type { RegistryRecord } from '#persistence/read-registry.js';
import type { CatalogueScope } from '../../catalogue/catalogue-reader.js';
import { ViewDatabase } from '../../view-database.js';
import { Problem } from '../problem.js';
import { Scope } from '../served-scope.js';
import { GetFresh } from './get-fresh.js';

/** A registry as the admin API of today has it: a name for sources in an order. Each MCPRegistry is one. */
@Controller('v1/registries')
export class RegistriesController {
  constructor(private readonly database: ViewDatabase) {}

  @GetFresh()
  async list(@Scope() scope: CatalogueScope): Promise<object> {
    const registry = await findRegistry(this.database, scope);
    return { registries: registry ? [toRegistryView(registry)] : [] };
  }

  @GetFresh(':name')
  async get(@Scope() scope: CatalogueScope, @Param('name') name: string): Promise<object> {
    const registry = name === scope.registry ? await findRegistry(this.database, scope) : undefined;
    if (!registry) throw new Problem(404, `no registry is called "${name}"`);
    return toRegistryView(registry);
  }
}

function toRegistryView({ name, displayName, sources, createdAt, updatedAt }: RegistryRecord): object {
  return { name, ...(displayName !== null && { displayName }), creationType: 'CONFIG', sources, createdAt, updatedAt };
}
