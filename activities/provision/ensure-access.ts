import { isDeepStrictEqual } from 'node:util';
import { toRole, toRoleBinding, toServiceAccount } from './desired/access.js';
import { asReason, ensureObject, findOwned } from './ensure-object.js';
import type { Commission } from './read-blueprint.js';

/** Makes the server's account and its Role, and binds one to the other. Idempotent. */
export async function ensureAccess({ blueprint, world }: Commission): Promise<void> {
  const { registry } = blueprint;
  const { api } = world;
  const wanted = { ...world, registry, reason: 'RBACFailed' } as const;
  await ensureObject(toServiceAccount(blueprint), wanted);
  await ensureObject(toRole(blueprint), wanted);
  const binding = toRoleBinding(blueprint);
  const live = await findOwned(binding, wanted);
  // What a binding grants cannot be edited: another one must take its place.
  if (live && !isDeepStrictEqual(live.roleRef, binding.roleRef)) {
    const { name, uid } = live.metadata;
    const { namespace } = registry;
    await asReason(wanted.reason, () =>
      api.delete('RoleBinding', { namespace, name, ...(uid !== undefined && { uid }) }),
    );
  }
  await ensureObject(binding, wanted);
}
