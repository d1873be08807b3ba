import { hash } from 'node:crypto';
import type { ClusterAccess } from './cluster-access.js';
import { isRefusal } from './kubernetes-api.js';
import type { KubernetesApi } from './kubernetes-api.js';

/** A namespace that exists in every cluster for the cluster's whole life. */
const CLUSTER_NAMESPACE = 'kube-system';

/**
 * Returns a unique id of the cluster: the uid of the namespace kube-system. An operator that may only read its own
 * namespaces uses a digest of the authority that signs the certificate of the API server instead.
 */
export async function findClusterId(api: Pick<KubernetesApi, 'get'>, access: ClusterAccess): Promise<string> {
  try {
    const namespace = await api.get('Namespace', CLUSTER_NAMESPACE, CLUSTER_NAMESPACE);
    if (namespace?.metadata.uid !== undefined) return namespace.metadata.uid;
  } catch (error) {
    if (!isRefusal(error, 'Forbidden')) throw error;
  }
  const { tls } = await access.credentials();
  return hash('sha256', tls.ca ?? access.server.origin).slice(0, 32);
}
