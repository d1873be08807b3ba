import { displayRef } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { SyncOutcome } from '#domain/sync.js';
import { DurationHistogram, formatMetrics, observed, totalsOf } from '#observability/metrics.js';
import type { AuthCounters } from './auth/auth-counters.js';
import type { HookJournal } from './http/hooks/hook-journal.js';
import type { LiveCatalogue, SourceSnapshot } from './catalogue/live-catalogue.js';

type Looked = (readonly [Readonly<Record<string, string>>, number])[];

/** The state from which metrics are computed when they are scraped. */
export interface MetricFacts {
  readonly catalogue: LiveCatalogue;
  readonly access: AuthCounters;
  /** Number of failed renderings of exports, by format. */
  readonly exportFailures: ReadonlyMap<string, number>;
  readonly hookSamples: HookJournal['samples'];
  /** Returns the time since which syncs cannot run; absent if this process never runs any. */
  syncsAwaySince?(): Date | undefined;
  databaseReadOnlySince(): Date | undefined;
}

/** The metrics of this process, with the names in the documentation of the registry server. */
export class ServerMetrics {
  activeRequests = 0;
  readonly requests = new DurationHistogram<'method' | 'route' | 'status_code'>(
    'thv_reg_srv_http_request_duration_seconds',
    'Time from the head of a request to the end of its response, in seconds.',
  );
  readonly syncs = new DurationHistogram<'registry' | 'success'>(
    'thv_reg_srv_sync_duration_seconds',
    'Duration of the syncs that this process has run, in seconds.',
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
      observed('thv_reg_srv_servers_total', 'Number of served server versions.', () => this.servers()),
      observed('thv_reg_srv_ard_skipped_entries', 'Number of servers that have no discovery identifier.', () =>
        this.skipped(),
      ),
      this.syncs,
      this.requests,
      totalsOf('thv_reg_srv_http_requests_total', 'Total number of answered requests.', this.requests),
      observed('thv_reg_srv_http_active_requests', 'Number of requests in progress.', () => [
        [{}, this.activeRequests],
      ]),
      observed(
        'thv_reg_srv_auth_decisions_total',
        'Total number of authentication decisions, by provider and outcome.',
        () => Array.from(access.samples(), ({ provider, outcome, count }) => [{ provider, outcome }, count] as const),
      ),
      observed('thv_reg_srv_hook_deliveries_total', 'Total number of webhook deliveries, by webhook and outcome.', () =>
        hookSamples().map(({ hook, outcome, count }) => [{ hook, outcome }, count] as const),
      ),
      observed('thv_reg_srv_export_failures_total', 'Number of exports that could not be rendered, by format.', () =>
        Array.from(exportFailures, ([format, count]) => [{ format }, count] as const),
      ),
      observed('thv_reg_srv_catalogue_entries', 'Number of entries in memory, including removed ones.', () =>
        this.perSource(({ layout }) => layout.rowOf.length),
      ),
      observed(
        'thv_reg_srv_catalogue_bytes',
        'Memory used by the catalogue in bytes: documents, searchable text and indexes.',
        () =>
          this.perSource(({ layout }) => layout.segments.reduce((sum, each) => sum + each.bytes + each.indexBytes, 0)),
      ),
      observed('thv_reg_srv_catalogue_withheld_entries', 'Number of entries that exceed the memory budget.', () =>
        this.perSource(({ withheld }) => withheld),
      ),
      observed('thv_reg_srv_catalogue_generation', 'Total number of changes to the entries of a source.', () =>
        this.perSource(({ generation }) => Number(generation)),
      ),
      observed(
        'thv_reg_srv_catalogue_age_seconds',
        'Time since the catalogue was last confirmed to match the database, in seconds.',
        () => (catalogue.confirmedAtMs === undefined ? [] : [[{}, (Date.now() - catalogue.confirmedAtMs) / 1000]]),
      ),
      observed(
        'thv_reg_srv_sync_last_success_timestamp_seconds',
        'Time at which a source was last in sync, as a Unix timestamp.',
        () => this.perSource(({ syncedAtMs }) => (syncedAtMs ?? 0) / 1000),
      ),
      observed('thv_reg_srv_sync_failing', '1 if the latest sync of a source failed.', () =>
        this.perSource(({ isFailing }) => Number(isFailing)),
      ),
      observed('thv_reg_srv_workflow_up', '1 while the workflow that syncs the sources is reachable.', () =>
        syncsAwaySince ? [[{}, Number(syncsAwaySince() === undefined)]] : [],
      ),
      observed('thv_reg_srv_database_read_only', '1 while the database is read-only.', () => [
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

  /** Counts servers whose namespace is not a reversed domain name, so that agents cannot discover them. */
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
