import type { Implementation } from '../inputs.js';
import { toService } from './desired/service.js';
import { ensureObject } from './ensure-object.js';
import type { ProvisionWorld } from './provision-world.js';
import { readBlueprint } from './read-blueprint.js';

/** Makes the Service through which clients reach the server. Safe to repeat. */
export function ensureService(world: ProvisionWorld): Implementation<'ensureService'> {
  return async (registry) => {
    const blueprint = await readBlueprint(world, registry);
    await ensureObject(toService(blueprint), { ...world, registry, reason: 'ServiceFailed' });
  };
}
