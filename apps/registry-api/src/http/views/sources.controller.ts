import { Controller, Param, Query } from '@nestjs/common';
import type { PageRequest } from '#persistence/page.js';
import { readEntries } from '#persistence/read-entries.js';
import type { EntryPlace } from '#persistence/read-entries.js';
import { readQuarantine } from '#persistence/read-quarantine.js';
import { readSources } from '#persistence/read-sources.js';
import type { SourceRecord } from '#persistence/read-sources.js';
import { readSyncRuns } from '#persistence/read-sync-runs.js';
import type { SyncRunPlace } from '#persistence/read-sync-runs.js';
import type { CatalogueScope } from '../../catalogue/catalogue.js';
import { TemporalUi } from '../../sync/temporal-ui.js';
import { ViewDatabase } from '#persistence/view-database.js';
import { Problem } from '../problem.js';
import { Scope } from '../served-scope.js';
import { toEntryViews } from './entry-view.js';
import { GetTagged } from './get-tagged.js';
import { EntryPage, QuarantinePage, SyncRunPage, toMetadata } from './page-query.js';
import { toQuarantineView } from './quarantine-view.js';
import { toSourceView } from './source-view.js';
import { toSyncRunView } from './sync-run-view.js';
import { describeView } from './describe-view.js';
import { ApiOperations, entryPageParameters, pageParameters } from '../openapi/operation.js';

/** Serves the sources of a registry: the state of their syncs, their content, and the entries that are not served. */
@ApiOperations(() => [
  describeView('/v1/sources', 'listSources', 'Lists the sources with the state of their syncs', 'SourceList'),
  describeView('/v1/sources/{name}', 'getSource', 'Gets one source with the state of its syncs', 'Source'),
  describeView(
    '/v1/sources/{name}/entries',
    'listEntries',
    'Lists all entries of a source, including hidden ones',
    'EntryList',
    entryPageParameters,
  ),
  describeView(
    '/v1/sources/{name}/runs',
    'listRuns',
    'Lists the sync runs of a source, newest first',
    'SyncRunList',
    pageParameters,
  ),
  describeView(
    '/v1/sources/{name}/quarantine',
    'listQuarantine',
    'Lists entries that cannot be served, and why',
    'QuarantineList',
    pageParameters,
  ),
])
@Controller('v1/sources')
export class SourcesController {
  constructor(
    private readonly database: ViewDatabase,
    private readonly temporalUi: TemporalUi,
  ) {}

  @GetTagged()
  async list(@Scope() scope: CatalogueScope): Promise<object> {
    return { sources: (await readSources(this.database, scope)).map(toSourceView) };
  }

  @GetTagged(':name')
  async get(@Scope() scope: CatalogueScope, @Param('name') name: string): Promise<object> {
    return toSourceView(await this.getSource(scope, name));
  }

  @GetTagged(':name/entries')
  async entries(
    @Scope() scope: CatalogueScope,
    @Param('name') name: string,
    @Query({ schema: EntryPage }) request: PageRequest<EntryPlace>,
  ): Promise<object> {
    const { id } = await this.getSource(scope, name);
    const page = await readEntries(this.database, id, request);
    return { entries: toEntryViews(page.items), metadata: toMetadata(page) };
  }

  @GetTagged(':name/runs')
  async runs(
    @Scope() scope: CatalogueScope,
    @Param('name') name: string,
    @Query({ schema: SyncRunPage }) request: PageRequest<SyncRunPlace>,
  ): Promise<object> {
    const { id } = await this.getSource(scope, name);
    const page = await readSyncRuns(this.database, id, request);
    return {
      runs: page.items.map((run) => toSyncRunView(run, this.temporalUi.urlOf(run.workflowId))),
      metadata: toMetadata(page),
    };
  }

  @GetTagged(':name/quarantine')
  async quarantine(
    @Scope() scope: CatalogueScope,
    @Param('name') name: string,
    @Query({ schema: QuarantinePage }) request: PageRequest<number>,
  ): Promise<object> {
    const { id } = await this.getSource(scope, name);
    const page = await readQuarantine(this.database, id, request);
    return { quarantine: page.items.map(toQuarantineView), metadata: toMetadata(page) };
  }

  private async getSource(scope: CatalogueScope, name: string): Promise<SourceRecord> {
    const source = (await readSources(this.database, scope)).find((each) => each.name === name);
    if (!source) throw new Problem(404, `no source is called "${name}"`);
    return source;
  }
}
