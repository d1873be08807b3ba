/**
 * Reasons why something is not in its desired state. Errors, conditions, events and stored sync runs share this list.
 */
export const REASONS = [
  // The spec, or an object that it refers to, is missing or invalid.
  'ValidationFailed',
  'ConfigMapNotFound',
  'KeyNotFound',
  'PVCNotFound',
  'SecretNotFound',
  'InvalidPodTemplateSpec',
  // Provisioning of the registry server failed.
  'ConfigMapFailed',
  'RBACFailed',
  'PGPassSecretFailed',
  'TemporalSecretFailed',
  'DeploymentFailed',
  'ServiceFailed',
  // The source does not provide its data.
  'Unreachable',
  'AuthFailed',
  'RepositoryNotFound',
  'RefNotFound',
  'FileNotFound',
  'FetchFailed',
  // The data does not have the declared form.
  'InvalidData',
  'FormatMismatch',
  // Fetched content could not be stored, or must not be stored without consent.
  'StorageFailed',
  'ShrinkGuard',
  // The database itself cannot be used.
  'DatabaseUnreachable',
  'DatabaseAuthFailed',
  'DatabaseTLSFailed',
  'DatabasePermissionDenied',
  'DatabaseNotMigrated',
  'DatabaseOwnedByAnother',
  'DatabasePooled',
  // The API server of the cluster failed.
  'KubernetesRefused',
  'KubernetesUnreachable',
  // Problems that are not those of the source, the database or the cluster.
  'ConfigurationPending',
  'OtherRelease',
  'TemporalGroupUnclear',
  'StoreLost',
  'TimedOut',
  'Cancelled',
  'InternalError',
] as const;

export type Reason = (typeof REASONS)[number];

/** Reasons for missing objects that may still be created. Whatever waits for them is pending rather than failed. */
export const AWAITED: readonly Reason[] = ['ConfigMapNotFound', 'KeyNotFound', 'PVCNotFound', 'SecretNotFound'];

export function isReason(value: unknown): value is Reason {
  return REASONS.includes(value as Reason);
}
