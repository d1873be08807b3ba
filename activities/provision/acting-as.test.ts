import { expect, it } from 'vitest';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import { actingAs, withRefusedAsAbsent } from './acting-as.js';
import type { ProvisionWorld } from './provision-world.js';

it('hides the registries of other Temporal groups from every account', async () => {
  const account = {} as KubernetesApi;
  const seenBy: KubernetesApi[] = [];
  const world = {
    api: { actingAs: () => account },
    settings: { serviceAccountName: 'deployer' },
    resourcesBy(api: KubernetesApi) {
      seenBy.push(api);
      return { findRegistry: async () => undefined };
    },
  } as unknown as ProvisionWorld;
  const registry = { namespace: 'team', name: 'r', uid: 'u' };
  const acting = actingAs(world, registry, {});
  expect(await acting.resources.findRegistry(registry)).toBeUndefined();
  expect(seenBy).toEqual([account]);
  const planning = withRefusedAsAbsent(acting);
  expect(seenBy[1]).toBe(planning.api);
  expect(await planning.resources.findRegistry(registry)).toBeUndefined();
});
