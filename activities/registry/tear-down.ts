import { displayRef } from '#domain/registry-ref.js';
import { RegistryError } from '#domain/registry-error.js';
import type { Implementation } from '../inputs.js';
import type { RegistryWorld } from './registry-world.js';

/**
 * Removes everything that was created for a registry, then releases its resource. Needs no source and no valid spec.
 * Idempotent. Fails before any change if the resource exists and is not being deleted, whatever the workflow believes.
 */
export function tearDown({ resources, unprovision }: RegistryWorld): Implementation<'tearDown'> {
  return async (registry) => {
    const resource = await resources.findRegistry(registry);
    if (resource && !resource.deleting) {
      const message = `${displayRef(registry)} is not being deleted, so nothing is removed`;
      throw new RegistryError('Cancelled', message, 'stop');
    }
    await unprovision(registry);
    await resources.release(registry);
  };
}
