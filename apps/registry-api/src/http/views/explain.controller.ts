import { Controller, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import { explainName } from '#domain/explain.js';
import { readName, readNameFaults } from '#persistence/read-name.js';
import { readSources } from '#persistence/read-sources.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import { Catalogue, CatalogueNotLoaded, SourceNotSynced, UnknownSource } from '../../catalogue/catalogue.js';
import type { CatalogueScope } from '../../catalogue/catalogue.js';
import { nearServedNames } from '../../catalogue/near-served-names.js';
import type { ServedRegistry } from '../../served-registry.js';
import { ViewDatabase } from '#persistence/view-database.js';
import { decodedAgain } from '../decoded-again.js';
import { decodable, shortText } from '../query-fields.js';
import { Scope, Served } from '../served-scope.js';
import { GetTagged } from './get-tagged.js';
import { getNamedRegistry } from './named-registry.js';
import { describeView } from './describe-view.js';
import { ApiOperations, queryParameter } from '../openapi/operation.js';

const serverName = shortText.refine((name) => name !== '', 'must name a server');

const ExplainQuerySchema = decodable.pipe(
  z.object({
    // A name contains a slash. If it does not, it was either encoded twice or is invalid.
    name: shortText.transform((name) => (name.includes('/') ? name : decodedAgain(name))).pipe(serverName),
    version: shortText.optional(),
  }),
);

/** Explains for each source of a registry why a name is served or not. */
@ApiOperations(() => [
  describeView(
    '/v1/registries/{name}/explain',
    'explainName',
    'Explains why a server name is served, or why not',
    'Explanation',
    [
      { ...queryParameter('name', 'Full name of a server.', { type: 'string' }), required: true },
      queryParameter('version', 'Only this version.', { type: 'string' }),
    ],
  ),
])
@Controller('v1/registries')
export class ExplainController {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly database: ViewDatabase,
  ) {}

  @GetTagged(':name/explain')
  async explain(
    @Scope() scope: CatalogueScope,
    @Served() served: ServedRegistry,
    @Param('name') registryName: string,
    @Query({ schema: ExplainQuerySchema }) { name, version }: z.output<typeof ExplainQuerySchema>,
  ): Promise<object> {
    const registry = await getNamedRegistry(this.database, scope, served, registryName);
    const sources = await readSources(this.database, scope);
    const ids = registry.sources.flatMap((each) => sources.find((source) => source.name === each)?.id ?? []);
    // Run the queries one after the other, so that a request uses only one connection at a time.
    const entries = await readName(this.database, ids, name);
    const faults = await readNameFaults(this.database, ids, name);
    const { served: winner, sources: verdicts } = explainName(registry.sources, entries, faults);
    return {
      name,
      served: winner,
      sources: verdicts.map((each) => ({
        ...each,
        versions: each.versions.filter((one) => version === undefined || one.version === version),
      })),
      near: winner ? [] : this.near(scope, registry.sources, name),
    };
  }

  /** Returns similar names from sources whose entries are known. */
  private near(scope: CatalogueScope, sources: readonly string[], name: string): string[] {
    const readers = sources.flatMap((source): CatalogueReader[] => {
      try {
        return [this.catalogue.reader({ ...scope, source })];
      } catch (error) {
        if (UNKNOWN.some((kind) => error instanceof kind)) return [];
        throw error;
      }
    });
    return nearServedNames(readers, name);
  }
}

/** Errors for a source whose entries are unknown. */
const UNKNOWN = [SourceNotSynced, CatalogueNotLoaded, UnknownSource];
