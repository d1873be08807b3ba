import { formatDuration } from '#domain/go-duration.js';
import { nextSync } from '#domain/next-sync.js';
import type { SourceRecord } from '#persistence/read-sources.js';
import { findSource } from '#sources/index.js';
import type { SourceView } from '#sources/source.js';
import { toShownMessage } from './shown-failure.js';

/** Returns a source in the form of the admin API. */
export function toSourceView(source: SourceRecord): object {
  const { type, sourceType, address } = viewOf(source.type);
  return {
    name: source.name,
    type,
    creationType: 'CONFIG',
    sourceType,
    format: source.format,
    sourceConfig: address === undefined ? {} : { [address]: source.address },
    ...(source.filter && { filterConfig: source.filter }),
    ...(source.intervalMs !== null && { syncSchedule: formatDuration(source.intervalMs) }),
    syncStatus: toSyncStatus(source),
    createdAt: source.createdAt,
    updatedAt: source.updatedAt,
  };
}

/** Returns how a source type is shown, with defaults for a type that only a later version knows. */
function viewOf(block: string): SourceView {
  return findSource(block)?.view ?? { type: 'REMOTE', sourceType: block, address: 'address' };
}

function toSyncStatus(source: SourceRecord): object {
  const phase = toPhase(source);
  const message = toShownMessage(source.failureReason, source.failureMessage) ?? source.warning;
  const lastAttempt = source.syncingSince ?? source.attemptedAt;
  const nextSyncTime = toNextSyncTime(source);
  return {
    ...(phase !== undefined && { phase }),
    ...(source.syncedAt && { lastSyncTime: source.syncedAt }),
    ...(source.contentHash !== null && { lastSyncHash: source.contentHash }),
    ...(lastAttempt && { lastAttempt }),
    ...(nextSyncTime && { nextSyncTime }),
    attemptCount: source.failedAttempts,
    serverCount: source.servedCount,
    // This server has no skills, but clients of other registries expect the count.
    skillCount: 0,
    pluginCount: 0,
    hiddenCount: source.hiddenCount,
    quarantinedCount: source.quarantinedCount,
    ...(source.revision !== null && { revision: source.revision }),
    ...(source.failureReason !== null && { reason: source.failureReason }),
    ...(message !== null && { message }),
  };
}

/** Returns the phase of a source; undefined before the first attempt. */
function toPhase({
  syncingSince,
  failedAttempts,
  syncedAt,
}: SourceRecord): 'syncing' | 'failed' | 'complete' | undefined {
  if (syncingSince) return 'syncing';
  if (failedAttempts > 0) return 'failed';
  return syncedAt ? 'complete' : undefined;
}

/**
 * Returns the earliest time of the next sync. The actual time is slightly later for each source, so that not all are
 * due at once.
 */
function toNextSyncTime({ syncingSince, attemptedAt, finishedAt, ...source }: SourceRecord): Date | undefined {
  if (syncingSince || !attemptedAt || !finishedAt) return undefined;
  const attempt = {
    startedAt: attemptedAt.getTime(),
    finishedAt: finishedAt.getTime(),
    intervalMs: source.intervalMs ?? undefined,
    isRetried: source.isRetried,
    attemptCount: source.failedAttempts,
  };
  const next = nextSync(attempt, 0);
  return next && new Date(Math.round(next.atMs));
}
