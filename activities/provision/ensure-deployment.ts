import type { Notice } from '#domain/notice.js';
import { RegistryError } from '#domain/registry-error.js';
import { KubernetesRefusal } from '#kubernetes/kubernetes-error.js';
import type { DeployedServer } from '../contract.js';
import type { Blueprint } from './desired/blueprint.js';
import { toDeployment, toReaders } from './desired/deployment.js';
import type { DesiredDeployment } from './desired/deployment.js';
import { names } from './desired/naming.js';
import { readerNotices, withReaders } from './desired/readers.js';
import { asReason, ensureObject, findOwned, removeOwned } from './ensure-object.js';
import { measured } from './measured.js';
import type { ProvisionWorld } from './provision-world.js';
import type { Commission } from './read-blueprint.js';
import { undeclaredFields, withoutFields } from './undeclared-fields.js';

/** A Deployment that the API server takes, and the blueprint that it was made from. */
interface Accepted extends DesiredDeployment {
  readonly blueprint: Blueprint;
}

/**
 * Makes the Deployments what spec and pod template say: that of the server, whose replicas are left alone, and that of the
 * read-only servers. Idempotent.
 */
export function ensureDeployment(commission: Commission): Promise<DeployedServer> {
  return measured(commission.world.reconciled, 'Deployment', () => deploy(commission));
}

async function deploy({ blueprint: read, world }: Commission): Promise<DeployedServer> {
  const { registry } = read;
  const blueprint = await withAccount(world, read);
  const wanted = { api: world.api, registry, reason: 'DeploymentFailed' } as const;
  const accepted: Accepted = bringsPodParts(blueprint)
    ? await asReason('DeploymentFailed', () => tryOut(world, blueprint))
    : { ...toDeployment(blueprint), blueprint };
  await ensureObject(accepted.deployment, wanted);
  const readable = withReaders(accepted.blueprint);
  if (readable.spec.readers > 0) await ensureObject(toReaders(readable).deployment, wanted);
  else await removeOwned('Deployment', names.readers(registry.name), wanted);
  const notices = [...readerNotices(blueprint), ...missing(blueprint), ...(blueprint.hookNotices ?? [])];
  return { podHash: accepted.hash, warnings: [...accepted.warnings, ...notices] };
}

async function withAccount({ api }: ProvisionWorld, blueprint: Blueprint): Promise<Blueprint> {
  const { namespace, name } = blueprint.registry;
  const account = await asReason('DeploymentFailed', () => api.get('ServiceAccount', namespace, names.access(name)));
  return account?.metadata.uid === undefined ? blueprint : { ...blueprint, accountUid: account.metadata.uid };
}

/** Whether a part of the pod was written by the user, and may be what the API server does not like. */
function bringsPodParts({ spec }: Blueprint): boolean {
  return spec.podTemplateSpec !== undefined || (spec.raw !== undefined && spec.raw.volumes.length > 0);
}

/**
 * Asks the API server what it thinks of it. Fields of the user's template that do not exist are left out, and named; it
 * may take several times until the server has told of all of them.
 */
async function tryOut({ api }: ProvisionWorld, blueprint: Blueprint): Promise<Accepted> {
  const unknown: string[] = [];
  for (let known = blueprint; ;) {
    const { registry, spec } = known;
    const desired = toDeployment(known);
    if (known === blueprint) await findOwned(desired.deployment, { api, registry, reason: 'DeploymentFailed' });
    const refusal = await refusalOf(() => api.dryRunApply(desired.deployment));
    if (!refusal) return { ...desired, blueprint: known, warnings: [...unknownFields(unknown), ...desired.warnings] };
    const more = undeclaredFields(refusal.message).filter((path) => !unknown.includes(path));
    if (more.length === 0 || !spec.podTemplateSpec) throw blame(refusal, blueprint);
    unknown.push(...more);
    known = { ...known, spec: { ...spec, podTemplateSpec: withoutFields(spec.podTemplateSpec, more) } };
  }
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

/** What is not valid is the user's to mend; any other refusal, as by a policy or a webhook, may end by itself. */
function blame(refusal: KubernetesRefusal, { spec }: Blueprint): RegistryError {
  const { code, message } = refusal;
  const invalid = code === 422 || code === 400 || message.includes('failed to create typed patch object');
  if (!invalid) return refusal;
  const reason = spec.podTemplateSpec ? 'InvalidPodTemplateSpec' : 'ValidationFailed';
  return new RegistryError(reason, message, 'stop', { cause: refusal });
}

/** The pod starts without them; what needs them fails until they are there. */
function missing({ versions }: Blueprint): Notice[] {
  return Object.entries(versions).flatMap(([value, version]): Notice[] =>
    version === null ? [{ reason: 'ReferenceNotFound', message: `${value} does not exist` }] : [],
  );
}
