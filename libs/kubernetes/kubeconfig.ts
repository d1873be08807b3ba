import type { RequestOptions } from 'node:https';
import type { ClusterAccess, TlsOptions } from './cluster-access.js';

/**
 * Returns access to the API server as described by a kubeconfig: the given file, otherwise the files of KUBECONFIG,
 * otherwise ~/.kube/config. The official client implements the login methods. It is loaded on demand, because it is
 * large and not needed in a pod.
 */
export async function kubeconfigAccess(file?: string): Promise<ClusterAccess> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  if (file === undefined) config.loadFromDefault();
  else config.loadFromFile(file);
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error(`${file ?? 'the kubeconfig'} names no current cluster: set its current-context`);
  return {
    server: new URL(cluster.server),
    async credentials() {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      const { headers, ca, cert, key, servername, rejectUnauthorized } = options;
      return {
        headers: (headers ?? {}) as Record<string, string>,
        tls: present({ ca, cert, key, servername, rejectUnauthorized }) as TlsOptions,
      };
    },
  };
}

function present(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
