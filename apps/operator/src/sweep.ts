import { registryKey } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { RegistryWorkflows } from './registry-workflows.js';

export interface SweepOptions {
  readonly workflows: Pick<RegistryWorkflows, 'running' | 'isServed' | 'lookAgain'>;
  /** The registries seen so far; new ones may be missing. */
  registries(): readonly RegistryRef[];
  /** Whether all registries of a namespace are known, so that any other registry does not exist. */
  sees(namespace: string): boolean;
  exists(registry: RegistryRef): boolean;
  /** Whether the workflow of the registry has ever written a status. */
  hasReported(registry: RegistryRef): boolean;
}

export interface SweepResult {
  /** Registries with a workflow but without an MCPRegistry. */
  readonly orphans: readonly RegistryRef[];
  /** Registries with an MCPRegistry but without a served workflow: it failed, was terminated, or lost its operator. */
  readonly deserted: readonly RegistryRef[];
  /** New registries, which have no workflow yet. */
  readonly unstarted: readonly RegistryRef[];
}

/**
 * Compares workflows with MCPRegistries. If the registry of a workflow has not been seen, the workflow is nudged. It
 * then reads the registry itself, continues if the registry exists after all, and otherwise completes as after a
 * deletion.
 */
export async function sweep({ workflows, registries, sees, exists, hasReported }: SweepOptions): Promise<SweepResult> {
  const orphans: RegistryRef[] = [];
  const running = new Set<string>();
  for await (const registry of workflows.running()) {
    running.add(registryKey(registry));
    if (!sees(registry.namespace) || exists(registry)) continue;
    await workflows.lookAgain(registry);
    orphans.push(registry);
  }
  const deserted: RegistryRef[] = [];
  const unstarted: RegistryRef[] = [];
  for (const registry of registries()) {
    // Temporal's list is slightly out of date, so ask for each workflow that is missing.
    if (running.has(registryKey(registry)) || (await workflows.isServed(registry))) continue;
    (hasReported(registry) ? deserted : unstarted).push(registry);
  }
  return { orphans, deserted, unstarted };
}
