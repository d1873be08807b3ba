import type { RegistryRef } from '#domain/registry-ref.js';
import type { DesiredState, RegistryActivities } from '../contract.js';
import { planSource, readSpec } from '../plan.js';
import { measured } from '../provision/measured.js';
import { toBlueprint, toProvisionPlan } from '../provision/read-blueprint.js';
import type { RegistryWorld } from './registry-world.js';

/** Reads the resource, whatever the nudge said, and reduces it to what a workflow may know. */
export function readDesiredState(world: RegistryWorld): RegistryActivities['readDesiredState'] {
  return (registry) => measured(world.provisioning?.reconciled, 'MCPRegistry', () => read(world, registry));
}

async function read(world: RegistryWorld, registry: RegistryRef): Promise<DesiredState | null> {
  const resource = await world.resources.findRegistry(registry);
  if (!resource) return null;
  const { generation, deleting, triggerToken } = resource;
  const known = { generation, deleting, ...(triggerToken === undefined ? {} : { triggerToken }) };
  // Whoever goes needs no plan, and no valid spec.
  if (deleting) return { ...known, sources: [] };
  const parsed = readSpec(resource);
  if ('invalid' in parsed) return { ...known, sources: [], invalid: parsed.invalid };
  const { notices } = parsed;
  const noticed = notices.length > 0 ? { notices } : {};
  const sources = await Promise.all(
    parsed.spec.registries.map((source) =>
      planSource(source, registry.namespace, world.resources, world.minSyncIntervalMs),
    ),
  );
  const { provisioning, resources } = world;
  if (!provisioning) return { ...known, ...noticed, sources };
  const blueprint = await toBlueprint({ resources, ...provisioning }, resource, parsed.spec);
  return { ...known, ...noticed, sources, provision: toProvisionPlan(blueprint) };
}
