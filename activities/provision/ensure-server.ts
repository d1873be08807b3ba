import { underHeartbeat } from '../heartbeat.js';
import type { Implementation } from '../inputs.js';
import { ensureAccess } from './ensure-access.js';
import { ensureConfig } from './ensure-config.js';
import { ensureDeployment } from './ensure-deployment.js';
import { ensureSecrets } from './ensure-secrets.js';
import { ensureService } from './ensure-service.js';
import type { ProvisionWorld } from './provision-world.js';
import { readBlueprint, withOwnPassword } from './read-blueprint.js';
import { whileWanted } from './while-wanted.js';

/**
 * Makes all objects of a registry's server from one blueprint, in the order in which they need each other. Idempotent. An attempt that
 * is cancelled, or that stalled and is no longer the latest, writes nothing more.
 */
export function ensureServer(operator: ProvisionWorld): Implementation<'ensureServer'> {
  return (registry) =>
    underHeartbeat(async ({ signal }) => {
      const readAtMs = performance.now();
      const commission = whileWanted(operator, await readBlueprint(operator, registry), { signal, readAtMs });
      await ensureConfig(commission);
      await ensureAccess(commission);
      await ensureSecrets(commission);
      const deployed = await ensureDeployment(await withOwnPassword(commission));
      await ensureService(commission);
      return deployed;
    });
}
