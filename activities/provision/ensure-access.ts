import { isDeepStrictEqual } from 'node:util';
import { toRole, toRoleBinding, toServiceAccount } from './desired/access.js';
import { asReason, ensureObject, findOwned } from './ensure-object.js';
import type { Commission } from './read-blueprint.js';

/** Ensures the server's account and its Role, and binds the Role to the account. Idempotent. */
export async function ensureAccess({ blueprint, world }: Commission): Promise<void> {
  const { registry } = blueprint;
  const { api } = world;
  const wanted = { ...world, registry, reason: 'RBACFailed' } as const;
  await ensureObject(toServiceAccount(blueprint), wanted);
  await ensureObject(toRole(blueprint), wanted);
  const binding = toRoleBinding(blueprint);
  const live = await findOwned(binding, wanted);
  // The `roleRef` of a binding is immutable, so the binding has to be replaced.
  if (live && !isDeepStrictEqual(live.roleRef, binding.roleRef)) {
    const { name, uid } = live.metadata;
    const { namespace } = registry;
    await asReason(wanted.reason, () =>
      api.delete('RoleBinding', { namespace, name, ...(uid !== undefined && { uid }) }),
    );
  }
  await ensureObject(binding, wanted);
}
