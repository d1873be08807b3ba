import type { RegistryLife } from '../registry-life.js';
import type { StoreState } from '../state/registry-state.js';
import { adoptionDone, adoptionFailed, adoptionStarted, planKey, storesToAdopt } from '../state/stores.js';
import { toSyncFailure } from '../sync-failure.js';
import type { Task } from './task.js';

/** Gives each store the current plan before anything is synced into it according to that plan. */
export const adoptTask: Task<RegistryLife> = {
  name: 'adopt',
  due: (life, nowMs) =>
    storesToAdopt(life.state, nowMs).map((store) => ({
      key: `${store.store.id} ${store.store.taskQueue}`,
      run: () => adopt(life, store),
    })),
};

async function adopt(life: RegistryLife, told: StoreState): Promise<void> {
  const { runtime } = life;
  const { registry, desired } = life.state;
  const plan = planKey(life.state);
  life.update((state) => adoptionStarted(state, told.store.id));
  try {
    await runtime.syncActivities(told.store).adoptPlan(registry, desired?.generation ?? 0);
    life.update((state) => adoptionDone(state, told.store, plan));
  } catch (error) {
    const failure = toSyncFailure(error, { slow: 'the registry server took too long to adopt the plan' });
    life.update((state) => adoptionFailed(state, told, failure, runtime.nowMs()));
  }
}
