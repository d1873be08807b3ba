import { getExternalWorkflowHandle, sleep } from '@temporalio/workflow';
import { syncWorkflowId } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { provisionActivities, registryActivities, reportStatus, syncActivities } from './activity-options.js';
import type { Runtime } from './registry-life.js';
import { Alarm } from './alarm.js';
import { startSync } from './start-sync.js';

/** The world of a registry's life inside a workflow. */
export function temporalRuntime(registry: RegistryRef): Runtime {
  const alarm = new Alarm();
  return {
    registry: { readDesiredState: registryActivities.readDesiredState, reportStatus },
    provision: provisionActivities,
    syncActivities,
    startSync,
    cancelSync: ({ source, run }) =>
      getExternalWorkflowHandle(syncWorkflowId(registry, source, run))
        .cancel()
        // A run that has ended cannot be cancelled.
        .catch(() => undefined),
    nowMs: () => Date.now(),
    random: () => Math.random(),
    sleep: (ms) => sleep(ms),
    until: (predicate, timeoutMs) => alarm.until(predicate, timeoutMs),
  };
}
