import { formatDuration } from '#domain/go-duration.js';
import type { SourceRecord } from '#persistence/read-sources.js';

/** By the block of the spec: what other servers of this kind call it, and under which name they show the address. */
const KINDS: Readonly<Record<string, { type: string; sourceType: string; address?: string }>> = {
  git: { type: 'REMOTE', sourceType: 'git', address: 'repository' },
  api: { type: 'REMOTE', sourceType: 'api', address: 'endpoint' },
  configMapRef: { type: 'FILE', sourceType: 'file', address: 'address' },
  pvcRef: { type: 'FILE', sourceType: 'file', address: 'address' },
  managed: { type: 'MANAGED', sourceType: 'managed' },
};
const OTHER = { type: 'REMOTE', address: 'address' };

/**
 * A source as admin APIs of this kind show it. What is not stored is absent: the filter, when the source was made, when
 * it is due next.
 */
export function toSourceView(source: SourceRecord): object {
  const { type, sourceType, address } = KINDS[source.type] ?? { ...OTHER, sourceType: source.type };
  return {
    name: source.name,
    type,
    creationType: 'CONFIG',
    sourceType,
    format: source.format,
    sourceConfig: address === undefined ? {} : { [address]: source.address },
    ...(source.intervalMs !== null && { syncSchedule: formatDuration(source.intervalMs) }),
    syncStatus: toSyncStatus(source),
  };
}

function toSyncStatus(source: SourceRecord): object {
  const phase = toPhase(source);
  const message = source.failureMessage ?? source.warning;
  return {
    ...(phase !== undefined && { phase }),
    ...(source.syncedAt && { lastSyncTime: source.syncedAt }),
    ...(source.attemptedAt && { lastAttempt: source.attemptedAt }),
    attemptCount: source.failedAttempts,
    serverCount: source.servedCount,
    hiddenCount: source.hiddenCount,
    quarantinedCount: source.quarantinedCount,
    ...(source.revision !== null && { revision: source.revision }),
    ...(message !== null && { message }),
  };
}

/** As of the last run that has finished; undefined before the first. */
function toPhase({ failedAttempts, syncedAt }: SourceRecord): 'failed' | 'complete' | undefined {
  if (failedAttempts > 0) return 'failed';
  return syncedAt ? 'complete' : undefined;
}
