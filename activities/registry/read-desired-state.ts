import type { RegistrySpec } from '#spec/registry-spec.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { DesiredState } from '../contract.js';
import type { Implementation } from '../inputs.js';
import { planSource, readSpec } from '../plan.js';
import { actingAs, withRefusedAsAbsent } from '../provision/acting-as.js';
import { enterNamespace } from '../provision/enter-namespace.js';
import { measured } from '../provision/measured.js';
import type { ProvisionWorld } from '../provision/provision-world.js';
import { toBlueprint, toProvisionPlan } from '../provision/read-blueprint.js';
import { discoveryNotices } from '../provision/with-discovery.js';
import type { RegistryWorld } from './registry-world.js';

/** Reads the resource and reduces it to the data that a workflow may know. */
export function readDesiredState(world: RegistryWorld): Implementation<'readDesiredState'> {
  return (registry) => measured(world.provisioning?.reconciled, 'MCPRegistry', () => read(world, registry));
}

async function read(world: RegistryWorld, registry: RegistryRef): Promise<DesiredState | null> {
  const resource = await world.resources.findRegistry(registry);
  if (!resource) return null;
  const { generation, deleting, triggerToken } = resource;
  const known = { generation, deleting, ...(triggerToken === undefined ? {} : { triggerToken }) };
  // A registry that is being deleted needs no plan and no valid spec.
  if (deleting) return { ...known, sources: [] };
  const { provisioning, resources } = world;
  // Must come first: without the rights in this namespace, the operator can neither read anything nor write an Event.
  if (provisioning) await enterNamespace(provisioning, registry);
  const parsed = readSpec(resource);
  if ('invalid' in parsed) return { ...known, sources: [], invalid: parsed.invalid };
  const planning = provisioning && planningWorld({ resources, ...provisioning }, registry, parsed.spec);
  const blueprint = planning && (await toBlueprint(planning, resource, parsed.spec));
  const { registries } = blueprint?.spec ?? parsed.spec;
  const sources = await Promise.all(
    registries.map((source) =>
      planSource(source, registry.namespace, planning?.resources ?? resources, world.minSyncIntervalMs),
    ),
  );
  const notices = [...parsed.notices, ...(blueprint ? discoveryNotices(parsed.spec, blueprint.settings) : [])];
  const desired = { ...known, ...(notices.length > 0 && { notices }), sources };
  return blueprint && provisioning
    ? {
        ...desired,
        provision: { ...toProvisionPlan(blueprint), ...(provisioning.site && { site: provisioning.site }) },
      }
    : desired;
}

/**
 * Returns the dependencies with the rights of the account that provisions the registry: the operator itself if the spec
 * names no account.
 */
function planningWorld(operator: ProvisionWorld, registry: RegistryRef, spec: RegistrySpec): ProvisionWorld {
  const world = actingAs(operator, registry, spec);
  return world === operator ? operator : withRefusedAsAbsent(world);
}
