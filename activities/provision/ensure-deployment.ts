import { RegistryError } from '#domain/registry-error.js';
import { KubernetesRefusal } from '#kubernetes/kubernetes-error.js';
import type { DeployedServer, ProvisionActivities } from '../contract.js';
import type { Blueprint } from './desired/blueprint.js';
import { toDeployment } from './desired/deployment.js';
import { asReason, ensureObject, findOwned } from './ensure-object.js';
import type { ProvisionWorld } from './provision-world.js';
import { readBlueprint } from './read-blueprint.js';

/** Makes the Deployment of the server what spec and pod template say; how many replicas it has is left alone. Safe to repeat. */
export function ensureDeployment(world: ProvisionWorld): ProvisionActivities['ensureDeployment'] {
  return async (registry): Promise<DeployedServer> => {
    const blueprint = await readBlueprint(world, registry);
    const { deployment, hash, warnings } = toDeployment(blueprint);
    const wanted = { api: world.api, registry, reason: 'DeploymentFailed' } as const;
    if (bringsPodParts(blueprint)) {
      await asReason('DeploymentFailed', () => findOwned(deployment, wanted));
      await world.api.dryRunApply(deployment).catch((error: unknown) => {
        throw blame(error, blueprint);
      });
    }
    await ensureObject(deployment, wanted);
    return { podHash: hash, warnings: [...warnings, ...missing(blueprint)] };
  };
}

/** Whether a part of the pod was written by the user, and may be what the API server does not like. */
function bringsPodParts({ spec }: Blueprint): boolean {
  return spec.podTemplateSpec !== undefined || (spec.raw !== undefined && spec.raw.volumes.length > 0);
}

/** What is not valid is the user's to mend; any other refusal, as by a policy or a webhook, may end by itself. */
function blame(error: unknown, { spec }: Blueprint): unknown {
  if (!(error instanceof KubernetesRefusal)) return error;
  const invalid = error.code === 422 || error.code === 400 || /not declared in schema|typed patch/.test(error.message);
  if (!invalid) return new RegistryError('DeploymentFailed', error.message, error.destiny, { cause: error });
  const reason = spec.podTemplateSpec ? 'InvalidPodTemplateSpec' : 'ValidationFailed';
  return new RegistryError(reason, error.message, 'stop', { cause: error });
}

/** The pod starts without them; what needs them fails until they are there. */
function missing({ versions }: Blueprint): string[] {
  return Object.entries(versions).flatMap(([object, version]) =>
    version === null ? [`${object.replace('/', ' ')} does not exist`] : [],
  );
}
