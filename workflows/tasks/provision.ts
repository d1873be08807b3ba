import type { DeployedServer, ProvisionPlan, Site } from '#activities/contract.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { RegistryLife } from '../registry-life.js';
import {
  contendersFound,
  contestOver,
  contestOverAtMs,
  isContested,
  NOT_PROVISIONED,
  provisionDueAtMs,
  provisioned,
  provisionFailed,
  provisionKey,
  provisionStarted,
} from '../state/provisioning.js';
import { toSyncFailure } from '../sync-failure.js';
import type { Task } from './task.js';

/**
 * Provisions the server of the registry according to the plan: after an edit, after drift, and again after a failure.
 */
export const provisionTask: Task<RegistryLife> = {
  name: 'provision',
  due(life, nowMs) {
    const { desired, provisioning = NOT_PROVISIONED } = life.state;
    const plan = desired?.provision;
    if (!plan || desired.invalid !== undefined) return [];
    if ((provisionDueAtMs(provisioning, plan) ?? Infinity) <= nowMs) {
      return [{ key: 'server', run: () => provision(life, plan) }];
    }
    const isOver = (contestOverAtMs(provisioning) ?? Infinity) <= nowMs;
    return isOver ? [{ key: 'server', run: async () => life.updateProvisioning(contestOver) }] : [];
  },
};

async function provision(life: RegistryLife, plan: ProvisionPlan): Promise<void> {
  const { runtime } = life;
  const { registry } = life.state;
  life.updateProvisioning((known) => provisionStarted(known, plan, runtime.nowMs()));
  try {
    await nameContenders(life);
    const deployed = await ensureServer(life, plan);
    life.updateProvisioning((known) => provisioned(known, provisionKey(plan), deployed));
  } catch (error) {
    const failure = toSyncFailure(error, {
      slow: `the API server took too long to respond while the server of ${registry.name} was provisioned`,
      silent: `the operator stopped or became unreachable while it provisioned the server of ${registry.name}`,
    });
    life.updateProvisioning((known) => provisionFailed(known, failure, runtime.nowMs(), runtime.random()));
  }
}

async function ensureServer({ runtime, state }: RegistryLife, { site }: ProvisionPlan): Promise<DeployedServer> {
  const input: [RegistryRef, Site?] = site ? [state.registry, site] : [state.registry];
  return runtime.provision.ensureServer(...input);
}

/** Finds the other writers of the objects before a repair, if earlier repairs did not last. */
async function nameContenders(life: RegistryLife): Promise<void> {
  if (!isContested(life.state.provisioning ?? NOT_PROVISIONED)) return;
  const contenders = await life.runtime.provision.findContenders(life.state.registry);
  life.updateProvisioning((known) => contendersFound(known, contenders));
}
