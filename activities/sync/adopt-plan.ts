import { removeOtherSources } from '../cache-directory.js';
import type { Implementation } from '../inputs.js';
import { getWanted, outlineSource } from '../plan.js';
import type { SyncWorld } from './sync-world.js';

/**
 * Makes the stored sources match the spec before anything is synced into them, and removes the cached files of sources
 * that left it. Idempotent.
 */
export function adoptPlan(world: SyncWorld): Implementation<'adoptPlan'> {
  return async (registry, generation) => {
    const { spec } = await getWanted(world.resources, registry, generation);
    const plan = spec.registries.map((source) => ({
      ...outlineSource(source, world.minSyncIntervalMs),
      ...(source.filter && { filter: source.filter }),
    }));
    await world.catalogue.adoptPlan(registry, spec.displayName ?? null, plan);
    const names = plan.map(({ name }) => name);
    await removeOtherSources(world.cacheDirectory, registry.uid, names);
  };
}
