import type { ProvisionActivities, RegistryActivities, SyncActivities } from './contract.js';
import { withFailures } from './failure.js';
import { ensureAccess } from './provision/ensure-access.js';
import { ensureConfig } from './provision/ensure-config.js';
import { ensureDeployment } from './provision/ensure-deployment.js';
import { ensureSecrets } from './provision/ensure-secrets.js';
import { ensureService } from './provision/ensure-service.js';
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

/** For the worker beside the workflows. */
export function registryActivities(world: RegistryWorld): RegistryActivities {
  return withFailures({
    readDesiredState: readDesiredState(world),
    reportStatus: reportStatus(world),
    tearDown: tearDown(world),
  });
}

/** For the same worker, where there is a cluster. */
export function provisionActivities(world: ProvisionWorld): ProvisionActivities {
  return withFailures({
    ensureConfig: ensureConfig(world),
    ensureAccess: ensureAccess(world),
    ensureSecrets: ensureSecrets(world),
    ensureDeployment: ensureDeployment(world),
    ensureService: ensureService(world),
  });
}

/** For the worker beside a store. */
export function syncActivities(world: SyncWorld): SyncActivities {
  return withFailures({
    adoptPlan: adoptPlan(world),
    applyFilter: applyFilter(world),
    resolveRevision: resolveRevision(world),
    importRevision: importRevision(world),
    recordSyncRun: recordSyncRun(world),
  });
}
