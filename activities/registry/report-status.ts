import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { displayRef, serverEndpoint } from '#domain/registry-ref.js';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryResource } from '#domain/resource-store.js';
import { toStatus } from '#domain/status/to-status.js';
import { statusEvents } from '#domain/status/status-events.js';
import type { RegistryFacts, ServerFacts } from '#domain/status/registry-facts.js';
import type { RegistryStatus } from '#domain/status/registry-status.js';
import type { WorkloadFacts } from '#domain/workload.js';
import type { Implementation } from '../inputs.js';
import { readSpec } from '../plan.js';
import { withDiscovery } from '../provision/with-discovery.js';
import { readWorkload } from './read-workload.js';
import type { RegistryWorld } from './registry-world.js';
import { scaleNotices } from './scale-notices.js';

type ReportedFacts = Parameters<Implementation<'reportStatus'>>[1];

/**
 * Computes the status of a resource from the facts and writes it if it has changed. Idempotent. Spec, deletion, trigger
 * and workload are read here. Only the results of the syncs, which the workflow alone knows, are taken from the facts.
 */
export function reportStatus(world: RegistryWorld): Implementation<'reportStatus'> {
  return async (registry, reported) => {
    const { resources, announce } = world;
    const resource = await resources.findRegistry(registry);
    // Facts about another generation are outdated: the workflow reports again once it has read this generation.
    if (!resource || resource.generation !== reported.generation) return;
    const previous = await resources.readStatus(registry);
    const facts = await verifyFacts(world, resource, reported, previous);
    const status = toStatus(facts, { previous, nowMs: Date.now(), digest: (text) => hash('sha256', text) });
    if (isDeepStrictEqual(status, previous)) return;
    // A deleted resource needs no events.
    if (!(await resources.writeStatus(registry, status))) return;
    await announce?.(registry, statusEvents(previous, status));
  };
}

/**
 * Returns the facts, with everything that this process can read itself replaced by what it reads. Throws if the facts
 * are about other sources.
 */
async function verifyFacts(
  { provisioning }: RegistryWorld,
  resource: RegistryResource,
  reported: ReportedFacts,
  previous: RegistryStatus | undefined,
): Promise<RegistryFacts> {
  const { ref, deleting, triggerToken } = resource;
  const { handledTrigger, server, ...facts } = reported;
  const read = readSpec(resource);
  if ('spec' in read && !deleting) {
    const { registries } = provisioning ? withDiscovery(read.spec, provisioning.settings) : read.spec;
    refuseStrangeSources(ref, reported, new Set(registries.map(({ name }) => name)));
  }
  const workload = server && provisioning && (await readWorkload(provisioning.api, ref));
  const handled = handledTrigger === triggerToken ? triggerToken : previous?.lastManualSyncTrigger;
  return {
    ...facts,
    deleting,
    ...('invalid' in read && !deleting && { invalid: read.invalid }),
    ...(handled !== undefined && { handledTrigger: handled }),
    ...(server &&
      provisioning &&
      workload && {
        server: {
          ...verifyServer(server, workload),
          warnings: [
            ...server.warnings,
            ...('spec' in read ? scaleNotices(read.spec, provisioning.settings, workload) : []),
          ],
          endpoint: serverEndpoint(ref),
          ...silence(provisioning.settings.temporal.address, reported, previous),
          podTemplate: 'spec' in read ? read.spec.podTemplateSpec !== undefined : server.podTemplate,
        },
      }),
  };
}

const SILENT_MS = 2 * 60_000;

/**
 * Returns the address of Temporal if the server has been ready for minutes without announcing a store, which means that
 * it cannot reach Temporal.
 */
function silence(
  address: string,
  { serving }: ReportedFacts,
  previous: RegistryStatus | undefined,
): Pick<ServerFacts, 'unreachedTemporal'> {
  const { phase, readySince } = previous?.apiStatus ?? {};
  const isSilent = !serving && phase === 'Ready' && Date.now() - Date.parse(readySince ?? '') > SILENT_MS;
  return isSilent ? { unreachedTemporal: address } : {};
}

function refuseStrangeSources(
  ref: RegistryResource['ref'],
  { sources }: ReportedFacts,
  known: ReadonlySet<string>,
): void {
  const stranger = sources.find(({ name }) => !known.has(name));
  if (!stranger) return;
  const message = `${displayRef(ref)} has no source "${stranger.name}", so the report about it is ignored`;
  throw new RegistryError('InternalError', message, 'wait');
}

/**
 * Treats a Deployment as not live if its pods come from another template than the one provisioned last, because it says
 * nothing about the desired pods.
 */
function verifyServer(server: NonNullable<ReportedFacts['server']>, workload: WorkloadFacts): ServerFacts {
  return { ...server, workload: { ...workload, live: workload.live && workload.podHash === server.podHash } };
}
