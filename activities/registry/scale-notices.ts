import type { Notice } from '#domain/notice.js';
import type { WorkloadFacts } from '#domain/workload.js';
import type { RegistrySpec } from '#spec/registry-spec.js';
import type { ServerSettings } from '../provision/desired/blueprint.js';

/**
 * Returns a notice if the server is scaled without a database. Each of its pods then syncs and responds on its own, so
 * times, removals and published entries differ between pods.
 */
export function scaleNotices(
  { raw, databaseConfig }: Pick<RegistrySpec, 'raw' | 'databaseConfig'>,
  { defaultDatabase }: Pick<ServerSettings, 'defaultDatabase'>,
  { wantedReplicas = 1 }: WorkloadFacts,
): Notice[] {
  const hasDatabase = databaseConfig ?? (raw ? undefined : defaultDatabase);
  if (hasDatabase || wantedReplicas <= 1) return [];
  const message =
    `the Deployment asks for ${wantedReplicas} pods, but without databaseConfig each pod has its own data, which is lost with the pod, ` +
    'so clients see different times and removals in each: set databaseConfig, or scale the Deployment to one';
  return [{ reason: 'EphemeralStore', message }];
}
