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

const serverName = shortText.refine((name) => name !== '', 'must name a server');

const ExplainQuerySchema = decodable.pipe(
  z.object({
    // A name has a slash, so one without was encoded twice on the way, or is none.
    name: shortText.transform((name) => (name.includes('/') ? name : decodedAgain(name))).pipe(serverName),
    version: shortText.optional(),
  }),
);

/** Says of one name why it is served, or why not, in each source of a registry. */
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
    // One after the other: a question takes one connection at a time.
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

  /** Returns similar names in sources whose list is known. */
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

/** What is thrown for a source whose list is not known. */
const UNKNOWN = [SourceNotSynced, CatalogueNotLoaded, UnknownSource];
