import type { RegistryRef } from '#domain/registry-ref.js';
import type { KindName } from '#kubernetes/kinds.js';
import { controllerOf } from '#kubernetes/kubernetes-object.js';
import type { Implementation } from '../inputs.js';
import { toExposure } from './desired/exposure.js';
import { toNetworkPolicy } from './desired/network-policy.js';
import { names } from './desired/naming.js';
import { toService } from './desired/service.js';
import { asReason, ensureObject } from './ensure-object.js';
import type { ProvisionWorld } from './provision-world.js';
import { readBlueprint } from './read-blueprint.js';

/** Makes the Service through which clients reach the server, its way in from outside, and the NetworkPolicy that lets them in. Idempotent. */
export function ensureService(world: ProvisionWorld): Implementation<'ensureService'> {
  return async (registry) => {
    const blueprint = await readBlueprint(world, registry);
    const { networkPolicy: peers, exposure } = blueprint.settings;
    const wanted = { ...world, registry, reason: 'ServiceFailed' } as const;
    await ensureObject(toService(blueprint), wanted);
    if (peers) await ensureObject(toNetworkPolicy(blueprint, peers), wanted);
    else await asReason('ServiceFailed', () => remove('NetworkPolicy', world, registry));
    if (exposure) await ensureObject(toExposure(registry, exposure), wanted);
    if (exposure?.kind !== 'Ingress') await asReason('ServiceFailed', () => remove('Ingress', world, registry));
  };
}

/** Removes what an operator with other settings has made. */
async function remove(kind: KindName, { api }: ProvisionWorld, { namespace, name, uid }: RegistryRef): Promise<void> {
  const object = await api.get(kind, namespace, names.server(name));
  if (object?.metadata.uid === undefined || controllerOf(object)?.uid !== uid) return;
  await api.delete(kind, { namespace, name: object.metadata.name, uid: object.metadata.uid });
}
