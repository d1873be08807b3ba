import { randomBytes } from 'node:crypto';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';

/**
 * Creates a namespace for one test. It is never deleted but disappears with the server, because there is no controller
 * that could empty it.
 */
export async function createNamespace(api: KubernetesApi): Promise<string> {
  const name = `test-${randomBytes(5).toString('hex')}`;
  await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return name;
}
