import type { SyncActivities } from '../contract.js';
import { getSpec, planSource } from '../plan.js';
import type { SyncWorld } from './sync-world.js';

/** Makes the stored sources those of the spec, before anything is synced into them. Safe to repeat. */
export function adoptPlan(world: SyncWorld): SyncActivities['adoptPlan'] {
  return async (registry) => {
    const spec = await getSpec(world.resources, registry);
    const plan = await Promise.all(
      spec.registries.map((source) => planSource(source, registry.namespace, world.resources, world.minSyncIntervalMs)),
    );
    await world.catalogue.adoptPlan(registry, spec.displayName ?? null, plan);
  };
}
