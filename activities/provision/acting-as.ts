import type { RegistrySpec } from '#spec/registry-spec.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { isRefusal } from '#kubernetes/kubernetes-api.js';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import { KubernetesResourceStore } from '#kubernetes/kubernetes-resource-store.js';
import type { ProvisionWorld } from './provision-world.js';

/**
 * Returns the dependencies with the rights of the ServiceAccount that a registry is provisioned as: the account in its
 * spec, or the default of the site. Objects that the spec refers to are read, and objects that it requests are written,
 * with the rights of that account.
 */
export function actingAs<World extends ProvisionWorld>(
  world: World,
  { namespace }: RegistryRef,
  { serviceAccountName }: Pick<RegistrySpec, 'serviceAccountName'>,
): World {
  const name = serviceAccountName ?? world.settings.serviceAccountName;
  if (name === undefined) return world;
  return throughApi(world, world.api.actingAs({ namespace, name }));
}

/**
 * Treats objects that the account may not read as absent. This is enough for a plan, which is made again later;
 * provisioning reads the same objects and reports the refusal.
 */
export function withRefusedAsAbsent<World extends ProvisionWorld>(world: World): World {
  const unlessRefused = (error: unknown): undefined => {
    if (!isRefusal(error, 'Forbidden')) throw error;
  };
  const reading: Pick<KubernetesApi, 'get' | 'derived'> = {
    get: (...object) => world.api.get<never>(...object).catch(unlessRefused),
    derived: (object, what, derive) => world.api.derived(object, what, derive).catch(unlessRefused),
  };
  return throughApi(world, Object.assign(Object.create(world.api) as KubernetesApi, reading));
}

function throughApi<World extends ProvisionWorld>(world: World, api: KubernetesApi): World {
  return { ...world, api, resources: world.resourcesBy?.(api) ?? new KubernetesResourceStore(api) };
}
