import { toApiStatus } from './api-status.js';
import { toConditions } from './conditions.js';
import { toPhase } from './phase.js';
import { noticesOf, worthAWord } from './registry-facts.js';
import type { RegistryFacts } from './registry-facts.js';
import type { Condition, RegistryStatus } from './registry-status.js';
import { appliedFilters, toSyncStatus } from './sync-status.js';
import type { Digest } from './sync-status.js';
import { rfc3339 } from './wording.js';

/** The inputs of a status beside the facts. */
export interface StatusSurroundings {
  /** Lends the times at which conditions last changed. */
  readonly previous: RegistryStatus | undefined;
  readonly nowMs: number;
  readonly digest: Digest;
}

/** The status that these facts amount to. */
export function toStatus(facts: RegistryFacts, { previous, nowMs, digest }: StatusSurroundings): RegistryStatus {
  const { phase, message } = toPhase(facts);
  const sources = worthAWord(facts.sources);
  const conditions = toConditions(facts, message).map((condition): Condition => {
    const before = previous?.conditions.find(({ type }) => type === condition.type);
    const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : rfc3339(nowMs);
    return { ...condition, observedGeneration: facts.generation, lastTransitionTime };
  });
  return {
    phase,
    message,
    observedGeneration: facts.generation,
    ...(sources.length > 0 ? { syncStatus: toSyncStatus(sources, digest) } : {}),
    ...appliedFilters(sources, digest),
    ...(facts.server && {
      apiStatus: toApiStatus(facts.server, previous?.apiStatus, nowMs),
      url: facts.server.endpoint,
      readyReplicas: facts.server.workload?.readyReplicas ?? 0,
    }),
    ...(facts.handledTrigger === undefined ? {} : { lastManualSyncTrigger: facts.handledTrigger }),
    ...noticed(facts),
    conditions,
  };
}

function noticed(facts: RegistryFacts): Pick<RegistryStatus, 'notices'> {
  const { failure } = facts.server ?? {};
  const collision = failure?.notice ? [{ reason: failure.notice, message: failure.message }] : [];
  const notices = [...noticesOf(facts), ...collision];
  return notices.length > 0 ? { notices } : {};
}
