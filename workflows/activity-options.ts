import { proxyActivities } from '@temporalio/workflow';
import type { ActivityInterfaceFor } from '@temporalio/workflow';
import type { ProvisionActivities, RegistryActivities, SyncActivities } from '#activities/contract.js';
import type { Store } from '#domain/sync.js';

/** The timeouts and retries of all activities. */

/**
 * Options of the activities that run next to the workflows. The workflow itself retries later, so that no activity
 * lasts as long as an outage.
 */
export const registryActivities = proxyActivities<RegistryActivities>({
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '2m',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
});

/** The workflow itself retries with backoff, and reports the failure in the meantime. */
const PROVISION_RETRY = { initialInterval: '1s', maximumInterval: '5s', maximumAttempts: 3 } as const;

const { ensureServer } = proxyActivities<Pick<ProvisionActivities, 'ensureServer'>>({
  startToCloseTimeout: '2m',
  heartbeatTimeout: '15s',
  retry: PROVISION_RETRY,
});

const { findContenders } = proxyActivities<Pick<ProvisionActivities, 'findContenders'>>({
  startToCloseTimeout: '30s',
  retry: PROVISION_RETRY,
});

export const provisionActivities: ProvisionActivities = { ensureServer, findContenders };

/** Few retries, because the next report has newer facts than a late retry. */
export const { reportStatus } = proxyActivities<Pick<RegistryActivities, 'reportStatus'>>({
  startToCloseTimeout: '15s',
  retry: { initialInterval: '1s', maximumAttempts: 3 },
});

/** If no worker accepts a task within this time, its store is considered gone. */
const TAKEN_WITHIN = '60s';

const HEARTBEAT_TIMEOUT_MS = 10_000;

/**
 * Returns the activities of a store. If heartbeats stop, the process has died, and the next attempt starts within
 * seconds. The end of a cancelled activity is awaited, so that it cannot publish anything later.
 */
export function syncActivities({
  taskQueue,
  heartbeatTimeoutMs = HEARTBEAT_TIMEOUT_MS,
}: Store): ActivityInterfaceFor<SyncActivities> {
  const cancellationType = 'WAIT_CANCELLATION_COMPLETED';
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

/** Maximum duration of a sync, including all attempts. After that, it is abandoned. */
export const SYNC_DEADLINE_MS = 45 * 60_000;
