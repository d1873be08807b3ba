import { randomBytes } from 'node:crypto';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';

/** A new namespace of this test alone. It goes with the server: there is no controller that could empty it. */
export async function createNamespace(api: KubernetesApi): Promise<string> {
  const name = `test-${randomBytes(5).toString('hex')}`;
  await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return name;
}
