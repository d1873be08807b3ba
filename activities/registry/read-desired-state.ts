import type { RegistryActivities } from '../contract.js';
import { planSource, readSpec } from '../plan.js';
import { toBlueprint, toProvisionPlan } from '../provision/read-blueprint.js';
import type { RegistryWorld } from './registry-world.js';

/** Reads the resource, whatever the nudge said, and reduces it to what a workflow may know. */
export function readDesiredState(world: RegistryWorld): RegistryActivities['readDesiredState'] {
  return async (registry) => {
    const resource = await world.resources.findRegistry(registry);
    if (!resource) return null;
    const { generation, deleting, triggerToken } = resource;
    const known = { generation, deleting, ...(triggerToken === undefined ? {} : { triggerToken }) };
    // Whoever goes needs no plan, and no valid spec.
    if (deleting) return { ...known, sources: [] };
    const read = readSpec(resource);
    if ('invalid' in read) return { ...known, sources: [], invalid: read.invalid };
    const { notices } = read;
    const noticed = notices.length > 0 ? { notices } : {};
    const sources = await Promise.all(
      read.spec.registries.map((source) =>
        planSource(source, registry.namespace, world.resources, world.minSyncIntervalMs),
      ),
    );
    const { provisioning, resources } = world;
    if (!provisioning) return { ...known, ...noticed, sources };
    const blueprint = await toBlueprint({ resources, ...provisioning }, resource, read.spec);
    return { ...known, ...noticed, sources, provision: toProvisionPlan(blueprint) };
  };
}
