import type { RegistryPhase } from '#domain/status/registry-status.js';
import type { KindName } from '#kubernetes/kinds.js';
import { counted, DurationHistogram, formatMetrics, observed, totalsOf } from '#observability/metrics.js';
import type { SeenRegistry } from './watch/registry-index.js';

const PHASES: readonly RegistryPhase[] = ['Pending', 'Ready', 'Syncing', 'Failed', 'Terminating'];

/** What is looked at whenever somebody asks. */
export interface OperatorView {
  registries(): readonly SeenRegistry[];
  /** Workflows that are still to be told of something. */
  backlog(): number;
  /** Since Temporal answered last. */
  silentForMs(): number;
}

/** What the operator counts and sees, for Prometheus. */
export class OperatorMetrics {
  nudges = 0;
  failures = 0;
  released = 0;
  sweeps = 0;
  orphans = 0;
  private readonly reconciles = new DurationHistogram<'kind' | 'result'>(
    'mcp_operator_reconcile_duration_seconds',
    'To make an object as it should be; of an MCPRegistry, to read what it wants.',
  );

  constructor(private readonly view: OperatorView) {}

  readonly reconciled = (kind: KindName, seconds: number, failed: boolean): void =>
    this.reconciles.with({ kind, result: failed ? 'error' : 'success' }).observe(seconds);

  format(): string {
    const { view } = this;
    const gauge = (name: string, help: string, look: () => number) => observed(name, help, () => [[{}, look()]]);
    const count = (name: string, help: string, look: () => number) => counted(name, help, () => [[{}, look()]]);
    return formatMetrics([
      gauge('mcp_operator_registries', 'MCPRegistries in the allowed namespaces.', () => view.registries().length),
      gauge(
        'mcp_operator_registries_terminating',
        'MCPRegistries under deletion.',
        () => view.registries().filter(({ deleting }) => deleting).length,
      ),
      observed('mcp_operator_registry_phase', '1 for the phase that the status tells, else 0.', () => this.phases()),
      observed(
        'mcp_operator_sync_age_seconds',
        'Since the data that is served of a source was synced, as the status tells; absent until it was.',
        () => this.syncAges(),
      ),
      this.reconciles,
      totalsOf('mcp_operator_reconcile_total', 'How often that was done, by result.', this.reconciles),
      gauge('mcp_operator_backlog', 'Workflows that are still to be told of something.', () => view.backlog()),
      count('mcp_operator_nudges_total', 'Times that a workflow was told to look again.', () => this.nudges),
      count('mcp_operator_nudge_failures_total', 'Times that a workflow could not be told.', () => this.failures),
      count(
        'mcp_operator_released_without_temporal_total',
        'Registries that were let go although their workflow had not done so: Temporal was away, or at a standstill.',
        () => this.released,
      ),
      count('mcp_operator_sweeps_total', 'Times that workflows without a registry were looked for.', () => this.sweeps),
      count('mcp_operator_orphans_total', 'Workflows without a registry that were found.', () => this.orphans),
      gauge(
        'mcp_operator_temporal_silence_seconds',
        'Time since Temporal answered last.',
        () => view.silentForMs() / 1000,
      ),
    ]);
  }

  private phases() {
    return this.view
      .registries()
      .flatMap(({ ref: { namespace, name }, phase: current }) =>
        PHASES.map((phase) => [{ namespace, name, phase }, phase === current ? 1 : 0] as const),
      );
  }

  private syncAges() {
    return this.view
      .registries()
      .flatMap(({ ref: { namespace, name }, syncedAtMs }) =>
        Object.entries(syncedAtMs).map(
          ([source, atMs]) => [{ namespace, name, source }, (Date.now() - atMs) / 1000] as const,
        ),
      );
  }
}
