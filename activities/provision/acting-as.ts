import type { RegistrySpec } from '#spec/registry-spec.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { isRefusal } from '#kubernetes/kubernetes-api.js';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import { KubernetesResourceStore } from '#kubernetes/kubernetes-resource-store.js';
import type { ProvisionWorld } from './provision-world.js';

/**
 * Returns the world as the ServiceAccount sees it that a registry is provisioned as: the one of its spec, or the one of the
 * site. What a spec refers to is read, and what it asks for is written, with the rights of that account.
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
 * Takes what the account may not read for absent. A plan needs no more than that, and is made again; provisioning, which reads
 * the same, names the refusal.
 */
export function withRefusedAsAbsent<World extends ProvisionWorld>(world: World): World {
  const get: KubernetesApi['get'] = (...object) =>
    world.api.get<never>(...object).catch((error: unknown) => {
      if (isRefusal(error, 'Forbidden')) return undefined;
      throw error;
    });
  return throughApi(world, Object.assign(Object.create(world.api) as KubernetesApi, { get }));
}

function throughApi<World extends ProvisionWorld>(world: World, api: KubernetesApi): World {
  return { ...world, api, resources: new KubernetesResourceStore(api) };
}
