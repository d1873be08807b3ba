import { EXPOSURE_KINDS } from '#domain/exposure.js';
import { toExposure } from './desired/exposure.js';
import { toNetworkPolicy } from './desired/network-policy.js';
import { names } from './desired/naming.js';
import { withReaders } from './desired/readers.js';
import { toService, toWriterService } from './desired/service.js';
import { ensureObject, removeOwned } from './ensure-object.js';
import type { Commission } from './read-blueprint.js';

/**
 * Ensures the Services of the servers, their exposure outside the cluster, and the NetworkPolicy that admits clients.
 * Idempotent.
 */
export async function ensureService({ blueprint: read, world }: Commission): Promise<void> {
  const { registry } = read;
  const blueprint = withReaders(read);
  const { networkPolicy: peers, exposure } = blueprint.settings;
  const wanted = { ...world, registry, reason: 'ServiceFailed' } as const;
  const { server, writer } = names;
  if (blueprint.spec.readers > 0) await ensureObject(toWriterService(blueprint), wanted);
  await ensureObject(toService(blueprint), wanted);
  if (peers) await ensureObject(toNetworkPolicy(blueprint, peers), wanted);
  else await removeOwned('NetworkPolicy', server(registry.name), wanted);
  if (exposure) await ensureObject(toExposure(registry, exposure), wanted);
  for (const kind of EXPOSURE_KINDS)
    if (kind !== exposure?.kind) await removeOwned(kind, server(registry.name), wanted);
  if (blueprint.spec.readers === 0) await removeOwned('Service', writer(registry.name), wanted);
}
