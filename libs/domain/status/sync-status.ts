import { hasSynced, sum } from './registry-facts.js';
import type { SourceFacts } from './registry-facts.js';
import type { RegistryStatus, SourceStatus, SyncPhase, SyncStatus } from './registry-status.js';
import { rfc3339 } from './wording.js';

/** Computes a SHA-256 as lower-case hex. Passed in, because this module is pure. */
export type Digest = (text: string) => string;

export function toSyncStatus(sources: readonly SourceFacts[], digest: Digest): SyncStatus {
  const statuses = sources.map(toSourceStatus);
  const phase = (['Failed', 'Syncing', 'Complete'] as const).find((candidate) =>
    statuses.some((status) => status.phase === candidate),
  );
  const newest = (pick: (status: SourceStatus) => string | undefined) =>
    statuses.map(pick).reduce((latest, time) => (time && (!latest || time > latest) ? time : latest), undefined);
  const hashes = statuses.flatMap(({ lastSyncHash }) => lastSyncHash ?? []);
  const lastAttempt = newest((status) => status.lastAttempt);
  const lastSyncTime = newest((status) => status.lastSyncTime);
  const message = statuses
    .flatMap((status) => (status.message ? [`${status.name}: ${status.message}`] : []))
    .join('; ');
  return {
    ...(phase ? { phase } : {}),
    ...(message ? { message } : {}),
    ...(lastAttempt ? { lastAttempt } : {}),
    attemptCount: Math.max(...statuses.map(({ attemptCount }) => attemptCount)),
    ...(lastSyncTime ? { lastSyncTime } : {}),
    ...(hashes.length > 0 ? { lastSyncHash: rollUp(hashes, digest) } : {}),
    serverCount: sum(sources, ({ serverCount }) => serverCount),
    sources: statuses,
  };
}

function toSourceStatus(source: SourceFacts): SourceStatus {
  const phase: SyncPhase | undefined = source.running
    ? 'Syncing'
    : source.failure
      ? 'Failed'
      : hasSynced(source)
        ? 'Complete'
        : undefined;
  const message = source.failure?.message ?? source.notices?.map((notice) => notice.message).join('; ');
  return {
    name: source.name,
    ...(phase ? { phase } : {}),
    reason: reasonOf(source),
    ...(message === undefined ? {} : { message }),
    ...(source.lastAttemptAtMs === undefined ? {} : { lastAttempt: rfc3339(source.lastAttemptAtMs) }),
    attemptCount: source.attemptCount,
    ...(source.lastSyncAtMs === undefined ? {} : { lastSyncTime: rfc3339(source.lastSyncAtMs) }),
    ...(source.lastSyncHash === undefined ? {} : { lastSyncHash: source.lastSyncHash }),
    ...(source.serverCount === undefined ? {} : { serverCount: source.serverCount }),
    ...(source.quarantined === undefined ? {} : { quarantined: source.quarantined }),
    ...(source.revision === undefined ? {} : { revision: source.revision }),
    ...(source.nextSyncAtMs === undefined ? {} : { nextSyncTime: rfc3339(source.nextSyncAtMs) }),
  };
}

/** Returns the most important reason of a source: a failure, a notice, entries in quarantine, or success. */
function reasonOf(source: SourceFacts): SourceStatus['reason'] {
  if (source.failure) return source.failure.reason;
  const [notice] = source.notices ?? [];
  if (notice) return notice.reason;
  if (!hasSynced(source)) return 'Pending';
  return source.quarantined ? 'PartiallyValid' : 'SyncComplete';
}

/** Returns a hash that changes when an edited filter has taken effect. */
export function appliedFilters(
  sources: readonly SourceFacts[],
  digest: Digest,
): Pick<RegistryStatus, 'lastAppliedFilterHash'> {
  const hashes = sources.flatMap(({ filterHash }) => filterHash ?? []);
  return hashes.length > 0 ? { lastAppliedFilterHash: rollUp(hashes, digest) } : {};
}

/** Combines the hashes of all sources into one, independent of their order. */
function rollUp(hashes: readonly string[], digest: Digest): string {
  return digest(hashes.toSorted().join('\n'));
}
