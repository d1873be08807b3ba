import { syncWorkflowId } from '#domain/registry-ref.js';
import type { SyncActivities } from '../contract.js';
import type { SyncWorld } from './sync-world.js';

/** Keeps what came of a run, under its workflow's id: writing twice is writing once. */
export function recordSyncRun(world: SyncWorld): SyncActivities['recordSyncRun'] {
  return async ({ registry, source, run }, outcome) => {
    await world.catalogue.recordRun(registry, syncWorkflowId(registry, source, run), outcome);
    world.onRun?.(registry, outcome);
  };
}
