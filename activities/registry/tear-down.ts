import type { RegistryActivities } from '../contract.js';
import type { RegistryWorld } from './registry-world.js';

/** Removes what stands around a registry, then lets its resource go; depends on no source and no valid spec. Safe to repeat. */
export function tearDown(world: RegistryWorld): RegistryActivities['tearDown'] {
  return async (registry) => {
    await world.unprovision(registry);
    await world.resources.release(registry);
  };
}
