import type { RegistryRef } from '#domain/registry-ref.js';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import { NAMESPACE_LABEL } from './desired/naming.js';
import { labelNamespace } from './enter-namespace.js';
import type { ProvisionWorld } from './provision-world.js';

/**
 * Takes the operator's label from the namespace of a registry that goes, if it is the last one. Idempotent. Its RoleBinding goes with
 * the registry.
 */
export async function leaveNamespace(
  { api, access }: Pick<ProvisionWorld, 'api' | 'access'>,
  { namespace, uid }: RegistryRef,
): Promise<void> {
  if (!access || (await hasOthers(api, namespace, uid))) return;
  const object = await api.get('Namespace', '', namespace);
  if (object?.metadata.labels?.[NAMESPACE_LABEL] === undefined) return;
  const { apiVersion = 'v1', kind = 'Namespace' } = object;
  await api.apply({ apiVersion, kind, metadata: { name: namespace } });
  // A registry that was created meanwhile may have found the label and left it as it was.
  if (await hasOthers(api, namespace, uid)) await labelNamespace({ api }, namespace);
}

/** Reports whether the namespace has another registry that is to stay. */
async function hasOthers(api: KubernetesApi, namespace: string, uid: string): Promise<boolean> {
  const { items } = await api.list('MCPRegistry', { namespace, metadataOnly: true });
  return items.some(({ metadata }) => metadata.uid !== uid && metadata.deletionTimestamp === undefined);
}
