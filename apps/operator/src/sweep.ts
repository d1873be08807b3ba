import { registryKey } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { RegistryWorkflows } from './registry-workflows.js';

export interface SweepOptions {
  readonly workflows: Pick<RegistryWorkflows, 'running' | 'isServed' | 'lookAgain'>;
  /** The registries that have been seen; new ones may be missing. */
  registries(): readonly RegistryRef[];
  /** Whether the registries of a namespace are known, so that one that is not among them does not exist. */
  sees(namespace: string): boolean;
  exists(registry: RegistryRef): boolean;
}

export interface SweepResult {
  /** Registries that have a workflow but no MCPRegistry. */
  readonly orphans: readonly RegistryRef[];
  /** Registries that have an MCPRegistry but no workflow that is served: it failed, was terminated, or lost its operator. */
  readonly deserted: readonly RegistryRef[];
}

/**
 * Compares workflows with MCPRegistries. A workflow whose registry is not seen is told to look again: it reads the registry
 * itself, so that it goes on if the registry exists after all, and otherwise ends as after a deletion.
 */
export async function sweep({ workflows, registries, sees, exists }: SweepOptions): Promise<SweepResult> {
  const orphans: RegistryRef[] = [];
  const running = new Set<string>();
  for await (const registry of workflows.running()) {
    running.add(registryKey(registry));
    if (!sees(registry.namespace) || exists(registry)) continue;
    await workflows.lookAgain(registry);
    orphans.push(registry);
  }
  const deserted: RegistryRef[] = [];
  for (const registry of registries()) {
    // Temporal's list lags by a moment.
    if (!running.has(registryKey(registry)) && !(await workflows.isServed(registry))) deserted.push(registry);
  }
  return { orphans, deserted };
}
