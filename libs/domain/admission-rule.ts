/**
 * A CEL rule that the API server checks before it stores an object. `message` is shown to the user if the rule is
 * violated.
 */
interface AdmissionRule {
  readonly rule: string;
  readonly message: string;
  /** Path below the field that has the rule, such as `.oauth.providers`. */
  readonly fieldPath?: string;
  /** Whether the rule may use `oldSelf` and is also checked for new objects. */
  readonly optionalOldSelf?: boolean;
}

/**
 * Returns schema metadata that become `x-kubernetes-validations` in the CRD. Each rule makes the API server check the
 * same as a refinement of the same schema at run time, which also applies to objects that were stored before the rule
 * existed.
 */
export function admission(...rules: readonly AdmissionRule[]): Record<string, unknown> {
  return { 'x-kubernetes-validations': rules };
}

/**
 * Returns schema metadata for a list whose items are identified by one field: the CRD rejects duplicates, and several
 * writers can each own an item.
 */
export function listedBy(field: string): Record<string, unknown> {
  return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [field] };
}
