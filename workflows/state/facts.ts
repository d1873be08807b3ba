import { ownMember } from '#domain/own-member.js';
import type { RegistryFacts, SourceFacts } from '#domain/status/registry-facts.js';
import { toPhase } from '#domain/status/phase.js';
import type { SourcePlan } from '#domain/sync.js';
import { NOT_PROVISIONED, summarizeServer } from './provisioning.js';
import { currentStore, dropUndefined } from './registry-state.js';
import type { RegistryState, StoreState } from './registry-state.js';

/**
 * Minimum time between two reports, except for the first one that says ready. The time doubles with each consecutive
 * failure.
 */
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
  const source = ownMember(store?.sources, plan.name);
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

/** Returns the time at which the current facts must be reported, or undefined if they already have been. */
export function reportDueAtMs(state: RegistryState): number | undefined {
  if (!state.desired) return undefined;
  const { digest, atMs, failures = 0 } = state.report;
  const facts = summarize(state);
  // If a server has been ready for a while without announcing a store, another report gives a more detailed message.
  if (JSON.stringify(facts) === digest) return isSilent(facts) ? atMs + SILENT_REPORT_MS : undefined;
  // Users and pipelines wait for a registry to become ready, so this is reported at once. It happens only once per
  // generation: if a registry keeps changing between ready and not ready, the later reports are spaced.
  if (failures === 0 && isReady(facts) && facts.generation !== state.report.readyGeneration) return atMs;
  return atMs + Math.min(LONGEST_SPACING_MS, REPORT_SPACING_MS * 2 ** failures);
}

function isReady(facts: RegistryFacts): boolean {
  return toPhase(facts).phase === 'Ready';
}

function isSilent({ serving, server }: RegistryFacts): boolean {
  return !serving && server?.provisioned === true && server.workload?.live === true;
}

export function reported(state: RegistryState, facts: RegistryFacts, nowMs: number): RegistryState {
  const readyGeneration = isReady(facts) ? facts.generation : state.report.readyGeneration;
  return { ...state, report: dropUndefined({ digest: JSON.stringify(facts), atMs: nowMs, readyGeneration }) };
}

export function reportFailed(state: RegistryState, nowMs: number): RegistryState {
  const { failures = 0, ...last } = state.report;
  return { ...state, report: { ...last, digest: '', atMs: nowMs, failures: failures + 1 } };
}
