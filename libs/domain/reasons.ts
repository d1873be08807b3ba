/** Why something is not as wanted: the one list that errors, conditions, events and stored sync runs share. */
export const REASONS = [
  // The spec, or something that it names, is missing or wrong.
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
  // The source does not give its data.
  'Unreachable',
  'AuthFailed',
  'RepositoryNotFound',
  'RefNotFound',
  'FileNotFound',
  'FetchFailed',
  // The data is not what the source says it is.
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
  // The cluster's API server.
  'KubernetesRefused',
  'KubernetesUnreachable',
  // The machinery around the sync.
  'ConfigurationPending',
  'OtherRelease',
  'StoreLost',
  'TimedOut',
  'Cancelled',
  'InternalError',
] as const;

export type Reason = (typeof REASONS)[number];

/** Objects that may still be created: what waits for one is pending, not failed. */
export const AWAITED: readonly Reason[] = ['ConfigMapNotFound', 'KeyNotFound', 'PVCNotFound', 'SecretNotFound'];

export function isReason(value: unknown): value is Reason {
  return REASONS.includes(value as Reason);
}
