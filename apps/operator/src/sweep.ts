import type { RegistryRef } from '#domain/registry-ref.js';
import type { RegistryWorkflows } from './registry-workflows.js';

export interface SweepWorld {
  readonly workflows: Pick<RegistryWorkflows, 'running' | 'isRunning' | 'lookAgain'>;
  /** Those of the operator; none means all. What stands in others is not its to judge. */
  readonly namespaces: readonly string[];
  /** As far as they have been seen: what is new may not have been yet. */
  registries(): readonly RegistryRef[];
  exists(registry: RegistryRef): boolean;
}

export interface Swept {
  /** They have a workflow and no MCPRegistry. */
  readonly orphans: readonly RegistryRef[];
  /** They have an MCPRegistry and no workflow: it failed, or somebody has ended it. */
  readonly deserted: readonly RegistryRef[];
}

/**
 * Compares workflows with MCPRegistries. A workflow whose registry is not seen is told to look again: it reads for itself, so one whose
 * registry is there after all goes on; the others find it gone, and end as for a deletion.
 */
export async function sweep({ workflows, namespaces, registries, exists }: SweepWorld): Promise<Swept> {
  const orphans: RegistryRef[] = [];
  const running = new Set<string>();
  for await (const registry of workflows.running()) {
    running.add(registry.uid);
    const isOurs = namespaces.length === 0 || namespaces.includes(registry.namespace);
    if (!isOurs || exists(registry)) continue;
    await workflows.lookAgain(registry);
    orphans.push(registry);
  }
  const deserted: RegistryRef[] = [];
  for (const registry of registries()) {
    // Temporal's list lags by a moment.
    if (!running.has(registry.uid) && !(await workflows.isRunning(registry))) deserted.push(registry);
  }
  return { orphans, deserted };
}
