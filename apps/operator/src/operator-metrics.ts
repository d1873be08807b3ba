import type { RegistryPhase } from '#domain/status/registry-status.js';
import type { KindName } from '#kubernetes/kinds.js';
import { counted, DurationHistogram, formatMetrics, observed, totalsOf } from '#observability/metrics.js';
import type { WatchName } from './watch/cluster-watcher.js';
import type { SeenRegistry } from './watch/registry-index.js';

const PHASES: readonly RegistryPhase[] = ['Pending', 'Ready', 'Syncing', 'Failed', 'Terminating'];

/** State of the operator that is read when metrics are scraped. */
export interface OperatorView {
  registries(): readonly SeenRegistry[];
  /** Number of workflows with a pending signal. */
  backlog(): number;
  /** Watches that the API server rejects. */
  refusedWatches(): readonly WatchName[];
  temporalNamespaces(): readonly {
    /** Absent for registries without a group. */
    readonly group?: string | undefined;
    /** Returns the time since the last response from Temporal. */
    silentForMs(): number;
  }[];
}

/** The Prometheus metrics of the operator. */
export class OperatorMetrics {
  nudges = 0;
  nudgeFailures = 0;
  objectFailures = 0;
  released = 0;
  sweeps = 0;
  orphans = 0;
  restarted = 0;
  private readonly reconciles = new DurationHistogram<'kind' | 'result'>(
    'mcp_operator_reconcile_duration_seconds',
    'Time taken to reconcile one object, in seconds. For an MCPRegistry this is the time taken to read its spec.',
  );

  constructor(private readonly view: OperatorView) {}

  readonly reconciled = (kind: KindName, seconds: number, failed: boolean): void =>
    this.reconciles.with({ kind, result: failed ? 'error' : 'success' }).observe(seconds);

  format(): string {
    return formatMetrics([...this.registryMetrics(), ...this.workMetrics(), ...this.watchMetrics()]);
  }

  private registryMetrics() {
    const { view } = this;
    return [
      gauge(
        'mcp_operator_registries',
        'Number of MCPRegistries in the watched namespaces.',
        () => view.registries().length,
      ),
      gauge(
        'mcp_operator_registries_terminating',
        'Number of MCPRegistries that are being deleted.',
        () => view.registries().filter(({ deleting }) => deleting).length,
      ),
      observed(
        'mcp_operator_registry_phase',
        '1 for the phase in the status of an MCPRegistry, 0 for the others.',
        () => this.phases(),
      ),
      observed(
        'mcp_operator_sync_age_seconds',
        'Time since the last successful sync of a source in seconds, according to the status; absent before the first one.',
        () => this.syncAges(),
      ),
      observed(
        'mcp_operator_quarantined_entries',
        'Number of entries of a source in quarantine, according to the status.',
        () => this.quarantines(),
      ),
    ];
  }

  private workMetrics() {
    const { view } = this;
    return [
      this.reconciles,
      totalsOf(
        'mcp_operator_reconcile_total',
        'Total number of reconciled objects, by kind and result.',
        this.reconciles,
      ),
      gauge('mcp_operator_backlog', 'Number of workflows with a pending signal.', () => view.backlog()),
      count(
        'mcp_operator_nudges_total',
        'Total number of signals that asked a workflow to reconcile.',
        () => this.nudges,
      ),
      count(
        'mcp_operator_nudge_failures_total',
        'Total number of failed signals to workflows.',
        () => this.nudgeFailures,
      ),
      count(
        'mcp_operator_released_without_temporal_total',
        'Total number of finalizers removed without the workflow, because Temporal was unavailable or did not make progress.',
        () => this.released,
      ),
      count(
        'mcp_operator_sweeps_total',
        'Total number of comparisons of workflows with MCPRegistries.',
        () => this.sweeps,
      ),
      count(
        'mcp_operator_orphans_total',
        'Total number of workflows found without an MCPRegistry.',
        () => this.orphans,
      ),
      count(
        'mcp_operator_workflows_restarted_total',
        'Total number of workflows that had ended before their MCPRegistry and were started again.',
        () => this.restarted,
      ),
      observed('mcp_operator_temporal_silence_seconds', 'Time since the last response from Temporal, in seconds.', () =>
        view
          .temporalNamespaces()
          .map((each) => [each.group === undefined ? {} : { group: each.group }, each.silentForMs() / 1000] as const),
      ),
    ];
  }

  private watchMetrics() {
    return [
      observed('mcp_operator_watch_refused', '1 for each watch that the API server refuses, for example by RBAC.', () =>
        this.view.refusedWatches().map(({ kind, namespace = '' }) => [{ kind, namespace }, 1] as const),
      ),
      count(
        'mcp_operator_object_failures_total',
        'Total number of watched objects that could not be handled.',
        () => this.objectFailures,
      ),
    ];
  }

  private phases() {
    return this.view
      .registries()
      .flatMap(({ ref: { namespace, name }, phase: current }) =>
        PHASES.map((phase) => [{ namespace, name, phase }, phase === current ? 1 : 0] as const),
      );
  }

  private quarantines() {
    return this.view
      .registries()
      .flatMap(({ ref: { namespace, name }, quarantined }) =>
        Object.entries(quarantined).map(([source, entries]) => [{ namespace, name, source }, entries] as const),
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

function gauge(name: string, help: string, read: () => number) {
  return observed(name, help, () => [[{}, read()]]);
}

function count(name: string, help: string, read: () => number) {
  return counted(name, help, () => [[{}, read()]]);
}
