import { guardActivities } from './boundary.js';
import type { ProvisionActivities, RegistryActivities, SyncActivities } from './contract.js';
import { ensureServer } from './provision/ensure-server.js';
import { findContenders } from './provision/find-contenders.js';
import type { ProvisionWorld } from './provision/provision-world.js';
import { readDesiredState } from './registry/read-desired-state.js';
import { reportStatus } from './registry/report-status.js';
import { tearDown } from './registry/tear-down.js';
import type { RegistryWorld } from './registry/registry-world.js';
import { adoptPlan } from './sync/adopt-plan.js';
import { applyFilter } from './sync/apply-filter.js';
import { importRevision } from './sync/import-revision.js';
import { recordSyncRun } from './sync/record-sync-run.js';
import { resolveRevision } from './sync/resolve-revision.js';
import type { SyncWorld } from './sync/sync-world.js';

/** The activities of the worker that runs the workflows. */
export function registryActivities(world: RegistryWorld): RegistryActivities {
  return guardActivities(
    {
      readDesiredState: readDesiredState(world),
      reportStatus: reportStatus(world),
      tearDown: tearDown(world),
    },
    world.provisioning?.site,
  );
}

/** The additional activities of that worker in a cluster. */
export function provisionActivities(world: ProvisionWorld): ProvisionActivities {
  return guardActivities(
    {
      ensureServer: ensureServer(world),
      findContenders: findContenders(world),
    },
    world.site,
  );
}

/** The activities of the worker of a store. */
export function syncActivities(world: SyncWorld): SyncActivities {
  return guardActivities({
    adoptPlan: adoptPlan(world),
    applyFilter: applyFilter(world),
    resolveRevision: resolveRevision(world),
    importRevision: importRevision(world),
    recordSyncRun: recordSyncRun(world),
  });
}
