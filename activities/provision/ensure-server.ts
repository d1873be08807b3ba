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
 * Ensures all objects of a registry's server from one blueprint, in the order of their dependencies. Idempotent. An
 * attempt writes nothing more once it is cancelled, or if it stalled and a newer attempt has started.
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
