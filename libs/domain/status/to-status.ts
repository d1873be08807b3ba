import { shortened } from '../shortened.js';
import { toApiStatus } from './api-status.js';
import { toConditions } from './conditions.js';
import { toPhase } from './phase.js';
import { noticesOf, reportedSources } from './registry-facts.js';
import type { RegistryFacts } from './registry-facts.js';
import type { Condition, RegistryStatus } from './registry-status.js';
import { appliedFilters, toSyncStatus } from './sync-status.js';
import type { Digest } from './sync-status.js';
import { rfc3339 } from './wording.js';

/** The inputs of a status in addition to the facts. */
export interface StatusSurroundings {
  /** Previous status, from which the times of unchanged conditions are copied. */
  readonly previous: RegistryStatus | undefined;
  readonly nowMs: number;
  readonly digest: Digest;
}

/** Computes the status from the facts. */
export function toStatus(facts: RegistryFacts, { previous, nowMs, digest }: StatusSurroundings): RegistryStatus {
  const { phase, message } = toPhase(facts);
  const sources = reportedSources(facts.sources);
  const conditions = toConditions(facts, message).map((condition): Condition => {
    const before = previous?.conditions.find(({ type }) => type === condition.type);
    const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : rfc3339(nowMs);
    return { ...condition, observedGeneration: facts.generation, lastTransitionTime };
  });
  return withShortMessages({
    phase,
    message,
    observedGeneration: facts.generation,
    ...(sources.length > 0 ? { syncStatus: toSyncStatus(sources, digest) } : {}),
    ...appliedFilters(sources, digest),
    ...(facts.server && {
      apiStatus: toApiStatus(facts.server, previous?.apiStatus, nowMs),
      url: facts.server.endpoint,
      readyReplicas: facts.server.workload?.readyReplicas ?? 0,
      ...(facts.server.workload?.readers && { readers: facts.server.workload.readers }),
    }),
    ...(facts.handledTrigger === undefined ? {} : { lastManualSyncTrigger: facts.handledTrigger }),
    ...noticed(facts),
    conditions,
  });
}

/** Maximum characters of each message in a status. Some messages repeat text from a tenant or an upstream registry. */
export const MESSAGE_LIMIT = 4096;

/** Returns a copy with every message, at any depth, truncated to `MESSAGE_LIMIT` characters. */
function withShortMessages<Part>(part: Part): Part {
  if (typeof part !== 'object' || part === null) return part;
  if (Array.isArray(part)) return part.map(withShortMessages) as Part;
  const fields = Object.entries(part).map(([name, value]): [string, unknown] => [
    name,
    name === 'message' && typeof value === 'string' ? shortened(value, MESSAGE_LIMIT) : withShortMessages(value),
  ]);
  return Object.fromEntries(fields) as Part;
}

function noticed(facts: RegistryFacts): Pick<RegistryStatus, 'notices'> {
  const { failure } = facts.server ?? {};
  const collision = failure?.notice ? [{ reason: failure.notice, message: failure.message }] : [];
  const notices = [...noticesOf(facts), ...collision];
  return notices.length > 0 ? { notices } : {};
}
