/** A rule in CEL that the API server checks before it stores an object; the message is what the user reads then. */
interface AdmissionRule {
  readonly rule: string;
  readonly message: string;
  /** Below the field that has the rule, as in `.oauth.providers`. */
  readonly fieldPath?: string;
  /** The rule may ask about `oldSelf` and is checked for new objects too. */
  readonly optionalOldSelf?: boolean;
}

/**
 * Metadata of a schema that become `x-kubernetes-validations` in the CRD. Each rule says to the API server what a
 * refinement of the same schema says at run time: that one also holds for objects which were stored before the rule.
 */
export function admission(...rules: readonly AdmissionRule[]): Record<string, unknown> {
  return { 'x-kubernetes-validations': rules };
}

/** Metadata of a list whose items are told apart by one field: the CRD refuses a second one, and writers can own one each. */
export function listedBy(field: string): Record<string, unknown> {
  return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [field] };
}
