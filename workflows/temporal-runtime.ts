import { sleep } from '@temporalio/workflow';
import type { RegistryRef } from '#domain/registry-ref.js';
import { provisionActivities, registryActivities, reportStatus, syncActivities } from './activity-options.js';
import type { Runtime } from './registry-life.js';
import { Alarm } from './alarm.js';
import { startSync } from './start-sync.js';
import { cancelSync, isSyncOpen } from './sync-runs.js';

/** Returns the environment of a registry's life within a workflow. */
export function temporalRuntime(registry: RegistryRef): Runtime {
  const alarm = new Alarm();
  return {
    registry: { readDesiredState: registryActivities.readDesiredState, reportStatus },
    provision: provisionActivities,
    syncActivities,
    startSync,
    cancelSync: (run) => cancelSync(registry, run),
    isSyncOpen: (run) => isSyncOpen(registry, run),
    nowMs: () => Date.now(),
    random: () => Math.random(),
    sleep: (ms) => sleep(ms),
    until: (predicate, timeoutMs) => alarm.until(predicate, timeoutMs),
  };
}
