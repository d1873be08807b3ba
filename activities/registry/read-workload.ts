import type { RegistryRef } from '#domain/registry-ref.js';
import type { WorkloadFacts } from '#domain/workload.js';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import { controllerOf } from '#kubernetes/kubernetes-object.js';
import { toReaderFacts, toWorkload } from '#kubernetes/to-workload.js';
import type { Deployment, Pod } from '#kubernetes/to-workload.js';
import { names, REGISTRY_LABEL } from '../provision/desired/naming.js';

/**
 * Reads the state of a registry's Deployment and its pods. Ignores a Deployment of that name that another object owns.
 */
export async function readWorkload(api: KubernetesApi, registry: RegistryRef): Promise<WorkloadFacts> {
  const { namespace, name, uid } = registry;
  const found = await api.get<Deployment>('Deployment', namespace, names.server(name));
  const deployment = found && controllerOf(found)?.uid === uid ? found : undefined;
  const readers = await readReaders(api, registry);
  const workload = { ...toWorkload(deployment), ...readers };
  // Pods are read only to explain why the server is not available.
  if (!deployment || workload.live) return workload;
  const labelSelector = `app.kubernetes.io/component=registry-api,${REGISTRY_LABEL}=${name}`;
  const { items } = await api.list<Pod>('Pod', { namespace, labelSelector });
  return { ...toWorkload(deployment, items), ...readers };
}

async function readReaders(
  api: KubernetesApi,
  { namespace, name, uid }: RegistryRef,
): Promise<Pick<WorkloadFacts, 'readers'>> {
  const found = await api.get<Deployment>('Deployment', namespace, names.readers(name));
  return found && controllerOf(found)?.uid === uid ? { readers: toReaderFacts(found) } : {};
}
