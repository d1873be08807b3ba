import type { Implementation } from '../inputs.js';
import { toConfigMap } from './desired/config.js';
import { ensureObject } from './ensure-object.js';
import type { ProvisionWorld } from './provision-world.js';
import { readBlueprint } from './read-blueprint.js';

/** Makes the ConfigMap with the server's configuration what the spec says. Idempotent. */
export function ensureConfig(operator: ProvisionWorld): Implementation<'ensureConfig'> {
  return async (registry) => {
    const { blueprint, world } = await readBlueprint(operator, registry);
    await ensureObject(toConfigMap(blueprint), { ...world, registry, reason: 'ConfigMapFailed' });
  };
}
