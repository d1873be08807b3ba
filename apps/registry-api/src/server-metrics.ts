import { displayRef } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { SyncOutcome } from '#domain/sync.js';
import { DurationHistogram, formatMetrics, observed, totalsOf } from '#observability/metrics.js';
import type { AuthCounters } from './auth/auth-counters.js';
import type { HookJournal } from './http/hooks/hook-journal.js';
import type { LiveCatalogue, SourceSnapshot } from './catalogue/live-catalogue.js';

type Looked = (readonly [Readonly<Record<string, string>>, number])[];

/** What the metrics are looked up in when they are asked for. */
export interface MetricFacts {
  readonly catalogue: LiveCatalogue;
  readonly access: AuthCounters;
  /** Renderings of exports that failed, by format. */
  readonly exportFailures: ReadonlyMap<string, number>;
  readonly hookSamples: HookJournal['samples'];
  /** Since when no sync takes place; absent where none ever does. */
  syncsAwaySince?(): Date | undefined;
  databaseReadOnlySince(): Date | undefined;
}

/** The metrics of this process, under the names that the documentation of the registry server uses. */
export class ServerMetrics {
  activeRequests = 0;
  readonly requests = new DurationHistogram<'method' | 'route' | 'status_code'>(
    'thv_reg_srv_http_request_duration_seconds',
    'From the head of a request to the end of its answer.',
  );
  readonly syncs = new DurationHistogram<'registry' | 'success'>(
    'thv_reg_srv_sync_duration_seconds',
    'Of the syncs that this process has run.',
  );

  constructor(private readonly facts: MetricFacts) {}

  recordSync(
    registry: Pick<RegistryRef, 'namespace' | 'name'>,
    { startedAt, finishedAt, failure }: Pick<SyncOutcome, 'startedAt' | 'finishedAt' | 'failure'>,
  ): void {
    const series = this.syncs.with({ registry: displayRef(registry), success: String(!failure) });
    series.observe((finishedAt - startedAt) / 1000);
  }

  format(): string {
    const { catalogue, access, exportFailures, hookSamples, syncsAwaySince, databaseReadOnlySince } = this.facts;
    return formatMetrics([
      observed('thv_reg_srv_servers_total', 'Servers that are served, each version for itself.', () => this.servers()),
      observed('thv_reg_srv_ard_skipped_entries', 'Number of servers without an identifier of discovery.', () =>
        this.skipped(),
      ),
      this.syncs,
      this.requests,
      totalsOf('thv_reg_srv_http_requests_total', 'Requests that were answered.', this.requests),
      observed('thv_reg_srv_http_active_requests', 'Requests that are being answered.', () => [
        [{}, this.activeRequests],
      ]),
      observed('thv_reg_srv_auth_decisions_total', 'Decisions about callers, by provider and outcome.', () =>
        Array.from(access.samples(), ({ provider, outcome, count }) => [{ provider, outcome }, count] as const),
      ),
      observed('thv_reg_srv_hook_deliveries_total', 'Number of deliveries of webhooks, by webhook and outcome.', () =>
        hookSamples().map(({ hook, outcome, count }) => [{ hook, outcome }, count] as const),
      ),
      observed('thv_reg_srv_export_failures_total', 'Number of exports that could not be rendered, by format.', () =>
        Array.from(exportFailures, ([format, count]) => [{ format }, count] as const),
      ),
      observed('thv_reg_srv_catalogue_entries', 'Entries in memory, removed ones included.', () =>
        this.perSource(({ layout }) => layout.rowOf.length),
      ),
      observed('thv_reg_srv_catalogue_bytes', 'Memory of the catalogue in bytes: documents, texts and indexes.', () =>
        this.perSource(({ layout }) => layout.segments.reduce((sum, each) => sum + each.bytes + each.indexBytes, 0)),
      ),
      observed('thv_reg_srv_catalogue_withheld_entries', 'Number of entries that exceed the memory budget.', () =>
        this.perSource(({ withheld }) => withheld),
      ),
      observed('thv_reg_srv_catalogue_generation', 'How often the entries of a source were changed.', () =>
        this.perSource(({ generation }) => Number(generation)),
      ),
      observed('thv_reg_srv_catalogue_age_seconds', 'Since the catalogue was last known to be what is stored.', () =>
        catalogue.confirmedAtMs === undefined ? [] : [[{}, (Date.now() - catalogue.confirmedAtMs) / 1000]],
      ),
      observed('thv_reg_srv_sync_last_success_timestamp_seconds', 'When a source was last in sync.', () =>
        this.perSource(({ syncedAtMs }) => (syncedAtMs ?? 0) / 1000),
      ),
      observed('thv_reg_srv_sync_failing', '1 while the newest sync of a source has failed.', () =>
        this.perSource(({ isFailing }) => Number(isFailing)),
      ),
      observed('thv_reg_srv_workflow_up', '1 while the workflow can be reached that has the sources synced.', () =>
        syncsAwaySince ? [[{}, Number(syncsAwaySince() === undefined)]] : [],
      ),
      observed('thv_reg_srv_database_read_only', '1 while the database takes no writes.', () => [
        [{}, Number(databaseReadOnlySince() !== undefined)],
      ]),
    ]);
  }

  private servers(): Looked {
    return Array.from(this.facts.catalogue.snapshots ?? [], ([registry, { aggregate }]) => [
      { registry },
      aggregate.count({}),
    ]);
  }

  /** Servers whose namespace is no reversed domain, so that agents cannot discover them. */
  private skipped(): Looked {
    return Array.from(this.facts.catalogue.snapshots ?? [], ([registry, { aggregate }]) => [
      { registry },
      aggregate.count({ version: 'latest' }) - aggregate.count({ version: 'latest', isAddressable: true }),
    ]);
  }

  private perSource(look: (source: SourceSnapshot) => number): Looked {
    return Array.from(this.facts.catalogue.snapshots ?? []).flatMap(([registry, { sources }]) =>
      sources.map((source) => [{ registry, source: source.name }, look(source)] as const),
    );
  }
}
