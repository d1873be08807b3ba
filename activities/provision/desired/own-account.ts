import type { RegistrySpec } from '#spec/registry-spec.js';
import { isFields } from '#domain/fields.js';

/**
 * Whether the pod runs as the account that the operator grants rights to, so that the server may use the Kubernetes
 * API. Another account may lack these rights.
 */
export function runsAsOurAccount({ podTemplateSpec }: Pick<RegistrySpec, 'podTemplateSpec'>): boolean {
  const pod = podTemplateSpec?.['spec'];
  return !isFields(pod) || (pod['serviceAccountName'] === undefined && pod['automountServiceAccountToken'] !== false);
}
