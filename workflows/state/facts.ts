import type { RegistryFacts, SourceFacts } from '#domain/status/registry-facts.js';
import type { SourcePlan } from '#domain/sync.js';
import { NOT_PROVISIONED, summarizeServer } from './provisioning.js';
import { currentStore, dropUndefined } from './registry-state.js';
import type { RegistryState, StoreState } from './registry-state.js';

/** The least time between two reports; it doubles with each failure in a row. */
const REPORT_SPACING_MS = 5_000;
const LONGEST_SPACING_MS = 5 * 60_000;
const SILENT_REPORT_MS = 2 * 60_000;

export function summarize(state: RegistryState): RegistryFacts {
  const { desired } = state;
  const store = currentStore(state);
  return dropUndefined({
    generation: desired?.generation ?? 0,
    deleting: desired?.deleting ?? false,
    invalid: desired?.invalid,
    notices: desired?.notices,
    serving: store !== undefined && !store.lost,
    handledTrigger: state.handledTrigger,
    sources: (desired?.sources ?? []).map((plan) => toFacts(plan, store)),
    server:
      desired?.provision && summarizeServer(state.registry, state.provisioning ?? NOT_PROVISIONED, desired.provision),
  });
}

function toFacts(plan: SourcePlan, store: StoreState | undefined): SourceFacts {
  const source = store?.sources[plan.name];
  const { running } = source ?? {};
  const quiet = running?.quiet;
  const failure = source?.failure ?? store?.adoptionFailure;
  const notices = [plan.notice, source?.lastSync?.notice].filter((notice) => notice !== undefined);
  return dropUndefined({
    name: plan.name,
    builtIn: plan.builtIn,
    running: running && !quiet ? { sinceMs: running.startedAtMs, manual: running.trigger === 'manual' } : undefined,
    lastAttemptAtMs: quiet ? quiet.lastAttemptAtMs : source?.lastAttemptAtMs,
    attemptCount: source?.attemptCount ?? 0,
    lastSyncAtMs: source?.lastSync?.atMs,
    lastSyncHash: source?.lastSync?.hash,
    revision: source?.lastSync?.revision,
    serverCount: source?.lastSync?.servers,
    quarantined: source?.lastSync?.quarantined,
    quarantinedEntries: source?.lastSync?.quarantinedEntries,
    filterHash: source?.lastSync?.filterHash,
    notices: notices.length > 0 ? notices : undefined,
    failure: failure && { reason: failure.reason, message: failure.message },
    nextSyncAtMs: quiet?.dueAtMs ?? source?.due?.atMs,
  });
}

/** Returns when the current facts are to be reported; undefined when they have been. */
export function reportDueAtMs(state: RegistryState): number | undefined {
  if (!state.desired) return undefined;
  const { digest, atMs, failures = 0 } = state.report;
  const facts = summarize(state);
  // With time, a server that is ready and announces no store is worth more words.
  if (JSON.stringify(facts) === digest) return isSilent(facts) ? atMs + SILENT_REPORT_MS : undefined;
  return atMs + Math.min(LONGEST_SPACING_MS, REPORT_SPACING_MS * 2 ** failures);
}

function isSilent({ serving, server }: RegistryFacts): boolean {
  return !serving && server?.provisioned === true && server.workload?.live === true;
}

export function reported(state: RegistryState, facts: RegistryFacts, nowMs: number): RegistryState {
  return { ...state, report: { digest: JSON.stringify(facts), atMs: nowMs } };
}

export function reportFailed(state: RegistryState, nowMs: number): RegistryState {
  return { ...state, report: { digest: '', atMs: nowMs, failures: (state.report.failures ?? 0) + 1 } };
}
