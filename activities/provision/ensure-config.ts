import { toConfigMap } from './desired/config.js';
import { ensureObject } from './ensure-object.js';
import type { Commission } from './read-blueprint.js';

/** Ensures that the ConfigMap with the server's configuration matches the spec. Idempotent. */
export async function ensureConfig({ blueprint, world }: Commission): Promise<void> {
  const { registry } = blueprint;
  await ensureObject(toConfigMap(blueprint), { ...world, registry, reason: 'ConfigMapFailed' });
}
