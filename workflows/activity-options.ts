import { proxyActivities } from '@temporalio/workflow';
import type { ActivityInterfaceFor } from '@temporalio/workflow';
import type { ProvisionActivities, RegistryActivities, SyncActivities } from '#activities/contract.js';
import type { Store } from '#domain/sync.js';

/** Which activities may take how long and are tried how often: all of it in one place. */

/** Beside the workflows. What they talk to may be away for long; the registry goes on meanwhile. */
export const registryActivities = proxyActivities<RegistryActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
});

/** The workflow itself tries again, later and later, and says meanwhile what is wrong. */
export const provisionActivities = proxyActivities<ProvisionActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '1s', maximumInterval: '5s', maximumAttempts: 3 },
});

/** In the background of the registry's life; the next report says it better than a late retry. */
export const { reportStatus } = proxyActivities<Pick<RegistryActivities, 'reportStatus'>>({
  startToCloseTimeout: '15s',
  retry: { initialInterval: '1s', maximumAttempts: 3 },
});

/** A task that nobody takes for this long means that the store is gone. */
const TAKEN_WITHIN = '60s';

const HEARTBEAT_TIMEOUT_MS = 10_000;

/**
 * Where the data is stored. A heartbeat that stops is a process that died: the next attempt starts within seconds. One that
 * is cancelled has ended when that is told, so that nothing of it is published after what comes next; `endsLate`: earlier
 * workflows did not wait for that.
 */
export function syncActivities(
  { taskQueue, heartbeatTimeoutMs = HEARTBEAT_TIMEOUT_MS }: Store,
  { endsLate = false } = {},
): ActivityInterfaceFor<SyncActivities> {
  const cancellationType = endsLate ? 'TRY_CANCEL' : 'WAIT_CANCELLATION_COMPLETED';
  const shared = { taskQueue, scheduleToStartTimeout: TAKEN_WITHIN, cancellationType } as const;
  const alive = { ...shared, heartbeatTimeout: heartbeatTimeoutMs };
  const { adoptPlan } = proxyActivities<SyncActivities>({
    ...shared,
    startToCloseTimeout: '30s',
    retry: { initialInterval: '1s', maximumInterval: '10s', maximumAttempts: 5 },
  });
  const { applyFilter } = proxyActivities<SyncActivities>({
    ...alive,
    startToCloseTimeout: '2m',
    retry: { initialInterval: '1s', maximumInterval: '10s', maximumAttempts: 3 },
  });
  const { resolveRevision } = proxyActivities<SyncActivities>({
    ...alive,
    startToCloseTimeout: '20m',
    retry: { initialInterval: '1s', maximumInterval: '10s', maximumAttempts: 3 },
  });
  const { importRevision } = proxyActivities<SyncActivities>({
    ...alive,
    startToCloseTimeout: '30m',
    retry: { initialInterval: '1s', maximumInterval: '1m', maximumAttempts: 5 },
  });
  const { recordSyncRun } = proxyActivities<SyncActivities>({
    ...shared,
    startToCloseTimeout: '10s',
    scheduleToCloseTimeout: '2m',
    retry: { initialInterval: '1s', maximumInterval: '10s' },
  });
  return { adoptPlan, applyFilter, resolveRevision, importRevision, recordSyncRun };
}

/** A sync that takes longer than this, all tries together, is given up. */
export const SYNC_DEADLINE_MS = 45 * 60_000;
