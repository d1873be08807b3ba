import type { RegistryFacts, SourceFacts } from '#domain/status/registry-facts.js';
import type { SourcePlan } from '#domain/sync.js';
import { NOT_PROVISIONED, summarizeServer } from './provisioning.js';
import { currentStore, dropUndefined } from './registry-state.js';
import type { RegistryState, StoreState } from './registry-state.js';

const REPORT_SPACING_MS = 5_000;

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
  const failure = source?.failure ?? store?.adoptionFailure;
  const notices = [plan.notice, source?.lastSync?.notice].filter((notice) => notice !== undefined);
  return dropUndefined({
    name: plan.name,
    builtIn: plan.builtIn,
    running: source?.running && {
      sinceMs: source.running.startedAtMs,
      manual: source.running.trigger === 'manual',
    },
    lastAttemptAtMs: source?.lastAttemptAtMs,
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
    nextSyncAtMs: source?.due?.atMs,
  });
}

/** The status as it should be written now; undefined when it is written already or was written a moment ago. */
export function reportDue(state: RegistryState, nowMs: number): { digest: string; atMs: number } | undefined {
  if (!state.desired) return undefined;
  const digest = JSON.stringify(summarize(state));
  if (digest === state.report.digest) return undefined;
  return { digest, atMs: Math.max(nowMs, state.report.atMs + REPORT_SPACING_MS) };
}
