import type { RegistryRef } from '#domain/registry-ref.js';
import type { RegistryWorkflows } from './registry-workflows.js';

export interface OrphanSweep {
  readonly workflows: Pick<RegistryWorkflows, 'running' | 'lookAgain'>;
  /** Those of the operator; none means all. What stands in others is not its to judge. */
  readonly namespaces: readonly string[];
  /** As far as it has been seen: what is new may not have been yet. */
  exists(registry: RegistryRef): boolean;
}

/**
 * Tells each workflow whose MCPRegistry is not seen to look again. It reads for itself, so one whose registry is there after all
 * goes on; the others find it gone, and end as for a deletion.
 */
export async function sweepOrphans({ workflows, namespaces, exists }: OrphanSweep): Promise<RegistryRef[]> {
  const orphans: RegistryRef[] = [];
  for await (const registry of workflows.running()) {
    const isOurs = namespaces.length === 0 || namespaces.includes(registry.namespace);
    if (!isOurs || exists(registry)) continue;
    await workflows.lookAgain(registry);
    orphans.push(registry);
  }
  return orphans;
}
