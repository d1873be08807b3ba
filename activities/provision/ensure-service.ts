import type { RegistryRef } from '#domain/registry-ref.js';
import { controllerOf } from '#kubernetes/kubernetes-object.js';
import type { Implementation } from '../inputs.js';
import { toNetworkPolicy } from './desired/network-policy.js';
import { names } from './desired/naming.js';
import { toService } from './desired/service.js';
import { asReason, ensureObject } from './ensure-object.js';
import type { ProvisionWorld } from './provision-world.js';
import { readBlueprint } from './read-blueprint.js';

/** Makes the Service through which clients reach the server, and the NetworkPolicy that lets them in. Safe to repeat. */
export function ensureService(world: ProvisionWorld): Implementation<'ensureService'> {
  return async (registry) => {
    const blueprint = await readBlueprint(world, registry);
    const { networkPolicy: peers } = blueprint.settings;
    const wanted = { ...world, registry, reason: 'ServiceFailed' } as const;
    await ensureObject(toService(blueprint), wanted);
    if (peers) await ensureObject(toNetworkPolicy(blueprint, peers), wanted);
    else await asReason('ServiceFailed', () => removePolicy(world, blueprint.registry));
  };
}

/** Removes the policy that an operator with other settings has made. */
async function removePolicy({ api }: ProvisionWorld, { namespace, name, uid }: RegistryRef): Promise<void> {
  const policy = await api.get('NetworkPolicy', namespace, names.server(name));
  if (policy?.metadata.uid === undefined || controllerOf(policy)?.uid !== uid) return;
  await api.delete('NetworkPolicy', { namespace, name: policy.metadata.name, uid: policy.metadata.uid });
}
