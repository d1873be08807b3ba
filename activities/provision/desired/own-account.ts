import type { RegistrySpec } from '#spec/registry-spec.js';
import { isFields } from '#domain/fields.js';

/** Whether the server may ask the API of the cluster for what the operator grants; another account may well not be let. */
export function runsAsOurAccount({ podTemplateSpec }: Pick<RegistrySpec, 'podTemplateSpec'>): boolean {
  const pod = podTemplateSpec?.['spec'];
  return !isFields(pod) || (pod['serviceAccountName'] === undefined && pod['automountServiceAccountToken'] !== false);
}
