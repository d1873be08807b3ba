import type { RegistryRef } from '#domain/registry-ref.js';
import { isRefusal } from '#kubernetes/kubernetes-api.js';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import { controllerOf } from '#kubernetes/kubernetes-object.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { NAMESPACE_LABEL, names, OPERATOR_BINDING_LABEL, REGISTRY_LABEL } from './desired/naming.js';
import { labelNamespace } from './enter-namespace.js';
import type { ProvisionWorld } from './provision-world.js';

/**
 * Removes the rights that the operator has for a registry that is being deleted, and the label of the namespace if no
 * other registry is left there. Idempotent.
 */
export async function leaveNamespace(
  { api, access }: Pick<ProvisionWorld, 'api' | 'access'>,
  registry: RegistryRef,
): Promise<void> {
  if (!access) return;
  await unbindOperator(api, registry);
  const { namespace, uid } = registry;
  if (await hasOthers(api, namespace, uid)) return;
  const object = await api.get('Namespace', '', namespace);
  if (object?.metadata.labels?.[NAMESPACE_LABEL] === undefined) return;
  const { apiVersion = 'v1', kind = 'Namespace' } = object;
  await api.apply({ apiVersion, kind, metadata: { name: namespace } });
  // A registry created in the meantime may have found the label and relied on it, so it is set again.
  if (await hasOthers(api, namespace, uid)) await labelNamespace({ api }, namespace);
}

/**
 * Deletes the RoleBinding of the operator. The garbage collector may not do it: with `--cascade=orphan` it removes the
 * owner references instead, before or after this call, and the rights would outlive the last registry.
 */
async function unbindOperator(api: KubernetesApi, registry: RegistryRef): Promise<void> {
  const { namespace } = registry;
  const name = names.operator(registry.name);
  const binding = await api.get('RoleBinding', namespace, name);
  if (binding?.metadata.uid === undefined || !isFor(binding, registry)) return;
  try {
    await api.delete('RoleBinding', { namespace, name, uid: binding.metadata.uid });
  } catch (error) {
    // Someone may have edited the binding so that the operator lacks this right. That must not prevent the deletion of
    // the registry.
    if (!isRefusal(error, 'Forbidden')) throw error;
  }
}

/** Reports whether a binding belongs to the registry, or did so before it lost its owner reference. */
function isFor(binding: KubernetesObject, { name, uid }: RegistryRef): boolean {
  const owner = controllerOf(binding);
  if (owner) return owner.uid === uid;
  const { labels = {} } = binding.metadata;
  return OPERATOR_BINDING_LABEL in labels && labels[REGISTRY_LABEL] === name;
}

/** Reports whether the namespace has another registry that is not being deleted. */
async function hasOthers(api: KubernetesApi, namespace: string, uid: string): Promise<boolean> {
  const { items } = await api.list('MCPRegistry', { namespace, metadataOnly: true });
  return items.some(({ metadata }) => metadata.uid !== uid && metadata.deletionTimestamp === undefined);
}
