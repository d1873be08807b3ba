import { getExternalWorkflowHandle } from '@temporalio/workflow';
import type { ExternalWorkflowHandle } from '@temporalio/workflow';
import { syncWorkflowId } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { stillRunning } from './messages.js';
import type { SyncRun } from './state/syncs.js';

/**
 * Asks Temporal whether a run is still open. The run counts as open unless Temporal says that there is no such open
 * workflow.
 */
export function isSyncOpen(registry: RegistryRef, run: SyncRun): Promise<boolean> {
  return handleOf(registry, run)
    .signal(stillRunning)
    .then(
      () => true,
      (error) => !isNotFound(error),
    );
}

/** Asks a run to cancel. Returns false if the request could not be delivered although the run may still be open. */
export async function cancelSync(registry: RegistryRef, run: SyncRun): Promise<boolean> {
  return handleOf(registry, run)
    .cancel()
    .then(() => true, isNotFound);
}

function handleOf(registry: RegistryRef, { source, run }: SyncRun): ExternalWorkflowHandle {
  return getExternalWorkflowHandle(syncWorkflowId(registry, source, run));
}

/**
 * Reports whether an error means that Temporal knows no open workflow of that id. Temporal's core library gives the
 * cause only as a string. A limit on signals, an unknown cause or the cancellation of the caller says nothing about the
 * other workflow.
 */
export function isNotFound(error: unknown): boolean {
  return error instanceof Error && /^Unable to \w+ external workflow because (it was )?not found$/.test(error.message);
}
