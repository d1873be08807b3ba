import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { RegistryRef } from '#domain/registry-ref.js';
import { isRefusal } from '#kubernetes/kubernetes-api.js';
import { KubernetesRefusal } from '#kubernetes/kubernetes-error.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { toOperatorBinding } from './desired/access.js';
import type { NamespaceAccess, RoleBinding } from './desired/access.js';
import { NAMESPACE_LABEL, names } from './desired/naming.js';
import { ensureObject, findOwned } from './ensure-object.js';
import type { ProvisionWorld } from './provision-world.js';

/**
 * Maximum wait until the API server applies a new registry to its admission policies and a new RoleBinding to its
 * authorizer, which takes a moment.
 */
const TAKE_UP_MS = 10_000;
const LOOK_MS = 100;
/** Part of the API server's message while its admission policies have not seen an MCPRegistry in the namespace. */
const NO_REGISTRY_YET = 'no params found';

/**
 * Grants the operator its rights in the namespace of a registry and labels the namespace. Idempotent: writes nothing if
 * both are up to date. Does nothing if the operator does not manage its own rights.
 */
export async function enterNamespace(world: Omit<ProvisionWorld, 'resources'>, registry: RegistryRef): Promise<void> {
  const { access } = world;
  if (!access) return;
  await labelNamespace(world, registry.namespace);
  await bindOperator(world, registry, access);
}

/** Labels a namespace as one that has a registry. Writes nothing if the label is set. */
export async function labelNamespace({ api }: Pick<ProvisionWorld, 'api'>, name: string): Promise<void> {
  const namespace = await api.get('Namespace', '', name);
  if (!namespace || namespace.metadata.labels?.[NAMESPACE_LABEL] === 'true') return;
  const { apiVersion = 'v1', kind = 'Namespace' } = namespace;
  await api.apply({ apiVersion, kind, metadata: { name, labels: { [NAMESPACE_LABEL]: 'true' } } });
}

async function bindOperator(
  { api, reconciled }: Pick<ProvisionWorld, 'api' | 'reconciled'>,
  registry: RegistryRef,
  access: NamespaceAccess,
): Promise<void> {
  const binding = toOperatorBinding(registry, access);
  const wanted = { api, registry, reason: 'RBACFailed', ...(reconciled && { reconciled }) } as const;
  const live = await findOwned<RoleBinding>(binding, wanted);
  if (live && isGranted(live, binding)) return;
  await untilAllowed(() => ensureObject(binding, wanted));
  await untilAllowed(() => api.get('Secret', registry.namespace, names.temporal(registry.name)));
}

function isGranted(live: RoleBinding, wanted: RoleBinding): boolean {
  const granted = ({ roleRef, subjects }: RoleBinding & KubernetesObject) => ({ roleRef, subjects });
  return isDeepStrictEqual(granted(live), granted(wanted));
}

async function untilAllowed(attempt: () => Promise<unknown>): Promise<void> {
  for (const deadlineMs = performance.now() + TAKE_UP_MS; ; await sleep(LOOK_MS)) {
    try {
      return void (await attempt());
    } catch (error) {
      const refusal = error instanceof KubernetesRefusal ? error : (error as Error).cause;
      const isNotTakenUp = isRefusal(refusal, 'Forbidden') || (error as Error).message.includes(NO_REGISTRY_YET);
      if (!isNotTakenUp || performance.now() > deadlineMs) throw error;
    }
  }
}
