import { displayRef } from '#domain/registry-ref.js';
import { RegistryError } from '#domain/registry-error.js';
import type { Implementation } from '../inputs.js';
import type { RegistryWorld } from './registry-world.js';

/**
 * Removes what stands around a registry, then releases its resource. Needs no source and no valid spec. Idempotent. Refuses,
 * before anything happens, while the resource is there and not under deletion, whatever the workflow believes.
 */
export function tearDown({ resources, unprovision }: RegistryWorld): Implementation<'tearDown'> {
  return async (registry) => {
    const resource = await resources.findRegistry(registry);
    if (resource && !resource.deleting) {
      const message = `${displayRef(registry)} is not under deletion, so nothing of it is removed`;
      throw new RegistryError('Cancelled', message, 'stop');
    }
    await unprovision(registry);
    await resources.release(registry);
  };
}
