import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterAccess } from './cluster-access.js';

/** The directory in which the kubelet puts the credentials for the API server. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface InClusterOptions {
  readonly variables?: Readonly<Record<string, string | undefined>>;
  readonly serviceAccountDirectory?: string;
}

/**
 * Returns access to the API server with the pod's ServiceAccount. The token and the CA are read each time, because the
 * kubelet rotates them.
 */
export function inClusterAccess({
  variables = process.env,
  serviceAccountDirectory = SERVICE_ACCOUNT,
}: InClusterOptions = {}): ClusterAccess {
  const host = variables['KUBERNETES_SERVICE_HOST'];
  if (!host) throw new Error('KUBERNETES_SERVICE_HOST is not set: this process does not run in a pod');
  const port = variables['KUBERNETES_SERVICE_PORT'] || '443';
  return {
    server: new URL(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    async credentials() {
      const [token, ca] = await Promise.all(
        ['token', 'ca.crt'].map((file) => readFile(join(serviceAccountDirectory, file), 'utf8')),
      );
      return { headers: { authorization: `Bearer ${token!.trim()}` }, tls: { ca: ca! } };
    },
  };
}
