import { boundedNotices } from '#domain/notice.js';
import type { Notice } from '#domain/notice.js';
import type { DeployedServer } from '../contract.js';
import type { Blueprint } from './desired/blueprint.js';
import { toReaders } from './desired/deployment.js';
import { names } from './desired/naming.js';
import { readerNotices, withReaders } from './desired/readers.js';
import { asReason, ensureObject, removeOwned } from './ensure-object.js';
import { measured } from './measured.js';
import type { ProvisionWorld } from './provision-world.js';
import type { Commission } from './read-blueprint.js';
import { toAcceptedDeployment } from './try-deployment.js';

/**
 * Ensures that the Deployments match the spec and the pod template: that of the server, whose replicas are left alone,
 * and that of the read-only servers. Idempotent.
 */
export function ensureDeployment(commission: Commission): Promise<DeployedServer> {
  return measured(commission.world.reconciled, 'Deployment', () => deploy(commission));
}

async function deploy({ blueprint, world }: Commission): Promise<DeployedServer> {
  const { registry } = blueprint;
  const wanted = { api: world.api, registry, reason: 'DeploymentFailed' } as const;
  const accepted = await toAcceptedDeployment(await withAccount(world, blueprint), wanted);
  await ensureObject(accepted.deployment, wanted);
  const readable = withReaders(accepted.blueprint);
  if (readable.spec.readers > 0) await ensureObject(toReaders(readable).deployment, wanted);
  else await removeOwned('Deployment', names.readers(registry.name), wanted);
  const notices = [...readerNotices(blueprint), ...missing(blueprint), ...(blueprint.hookNotices ?? [])];
  return { podHash: accepted.hash, warnings: boundedNotices([...accepted.warnings, ...notices]) };
}

async function withAccount({ api }: ProvisionWorld, blueprint: Blueprint): Promise<Blueprint> {
  const { namespace, name } = blueprint.registry;
  const account = await asReason('DeploymentFailed', () => api.get('ServiceAccount', namespace, names.access(name)));
  return account?.metadata.uid === undefined ? blueprint : { ...blueprint, accountUid: account.metadata.uid };
}

/**
 * Returns notices about referenced Secrets and ConfigMaps that do not exist. The pod starts anyway; only the parts that
 * use them fail until they are created.
 */
function missing({ versions }: Blueprint): Notice[] {
  return Object.entries(versions).flatMap(([value, version]): Notice[] =>
    version === null ? [{ reason: 'ReferenceNotFound', message: `${value} does not exist` }] : [],
  );
}
