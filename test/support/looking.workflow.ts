import type { RegistryRef } from '#domain/registry-ref.js';
import { cancelSync, isSyncOpen } from '../../workflows/sync-runs.js';
import type { SyncRun } from '../../workflows/state/syncs.js';

/** Checks and cancels a sync run in the same way as the workflow of a registry. */
export async function looking(
  registry: RegistryRef,
  run: SyncRun,
): Promise<{ readonly isOpen: boolean; readonly isCancelled: boolean }> {
  return { isOpen: await isSyncOpen(registry, run), isCancelled: await cancelSync(registry, run) };
}
