import { toConfigMap } from './desired/config.js';
import { ensureObject } from './ensure-object.js';
import type { Commission } from './read-blueprint.js';

/** Makes the ConfigMap with the server's configuration what the spec says. Idempotent. */
export async function ensureConfig({ blueprint, world }: Commission): Promise<void> {
  const { registry } = blueprint;
  await ensureObject(toConfigMap(blueprint), { ...world, registry, reason: 'ConfigMapFailed' });
}
