import type { Notice } from '#domain/notice.js';
import { RegistryError } from '#domain/registry-error.js';
import { KubernetesRefusal } from '#kubernetes/kubernetes-error.js';
import { MAX_UNKNOWN_FIELDS } from '#spec/spec-fault.js';
import type { Blueprint } from './desired/blueprint.js';
import { toDeployment } from './desired/deployment.js';
import type { DesiredDeployment } from './desired/deployment.js';
import { asReason, findOwned } from './ensure-object.js';
import type { Wanted } from './ensure-object.js';
import { undeclaredFields, withoutFields } from './undeclared-fields.js';

/** A Deployment that the API server accepts, and the blueprint that it was made from. */
interface AcceptedDeployment extends DesiredDeployment {
  readonly blueprint: Blueprint;
}

/**
 * Returns the Deployment of the server. If the user wrote parts of the pod, the Deployment is first tried in a dry run.
 */
export async function toAcceptedDeployment(blueprint: Blueprint, wanted: Wanted): Promise<AcceptedDeployment> {
  if (!bringsPodParts(blueprint)) return { ...toDeployment(blueprint), blueprint };
  await findOwned(toDeployment(blueprint).deployment, wanted);
  return asReason(wanted.reason, () => tryDeployment(blueprint, wanted));
}

/** Whether the user wrote a part of the pod, which may be the reason why the API server rejects the Deployment. */
function bringsPodParts({ spec }: Blueprint): boolean {
  return spec.podTemplateSpec !== undefined || (spec.raw !== undefined && spec.raw.volumes.length > 0);
}

/**
 * Applies the Deployment in dry runs until the API server accepts it. Fields of the user's template that do not exist
 * are left out and reported in a warning. The dry run is repeated because the API server does not report all unknown
 * fields at once.
 */
async function tryDeployment(blueprint: Blueprint, { api }: Wanted): Promise<AcceptedDeployment> {
  const unknown: string[] = [];
  for (;;) {
    const trimmed = withoutTemplateFields(blueprint, unknown);
    const desired = toDeployment(trimmed);
    const refusal = await refusalOf(() => api.dryRunApply(desired.deployment));
    if (!refusal) return { ...desired, blueprint: trimmed, warnings: [...unknownFields(unknown), ...desired.warnings] };
    const more = undeclaredFields(refusal.message).filter((path) => !unknown.includes(path));
    const isTooMuch = unknown.length + more.length > MAX_UNKNOWN_FIELDS;
    if (more.length === 0 || isTooMuch || !blueprint.spec.podTemplateSpec) throw blame(refusal, blueprint);
    unknown.push(...more);
  }
}

function withoutTemplateFields(blueprint: Blueprint, paths: readonly string[]): Blueprint {
  const { podTemplateSpec } = blueprint.spec;
  if (!podTemplateSpec || paths.length === 0) return blueprint;
  return { ...blueprint, spec: { ...blueprint.spec, podTemplateSpec: withoutFields(podTemplateSpec, paths) } };
}

function unknownFields(paths: readonly string[]): Notice[] {
  if (paths.length === 0) return [];
  const message = `podTemplateSpec has fields that do not exist: ${paths.toSorted().join(', ')}`;
  return [{ reason: 'UnknownFields', message }];
}

async function refusalOf(work: () => Promise<unknown>): Promise<KubernetesRefusal | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof KubernetesRefusal) return error;
    throw error;
  }
}

/**
 * Classifies a refusal by the API server. Only the user can fix a Deployment that is not valid, so the failure is
 * final. Any other refusal, such as one by a policy or a webhook, may go away by itself and is retried.
 */
function blame(refusal: KubernetesRefusal, { spec }: Blueprint): RegistryError {
  const { code, message } = refusal;
  const invalid = code === 422 || code === 400 || message.includes('failed to create typed patch object');
  if (!invalid) return refusal;
  const reason = spec.podTemplateSpec ? 'InvalidPodTemplateSpec' : 'ValidationFailed';
  return new RegistryError(reason, message, 'stop', { cause: refusal });
}
