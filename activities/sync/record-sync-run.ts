import { syncWorkflowId } from '#domain/registry-ref.js';
import { emptinessNotice } from '#domain/emptiness-notice.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { StoredContent, SyncOutcome, SyncRequest } from '#domain/sync.js';
import type { SourceEntity } from '#persistence/entities/source.entity.js';
import type { Implementation } from '../inputs.js';
import type { SyncWorld } from './sync-world.js';

/**
 * Records the outcome of a run under the id of its workflow. Idempotent. What the run published was recorded together
 * with its publication, so no counts are taken from the payload. A run of a source that is not stored is ignored and is
 * not even counted in metrics.
 */
export function recordSyncRun(world: SyncWorld): Implementation<'recordSyncRun'> {
  return async ({ registry, source, run }, reported) => {
    const stored = await world.catalogue.findSource(registry, source);
    if (!stored) return;
    await record(world, registry, { ...verified(reported, stored), source, run });
  };
}

/** Records a run that found nothing new. Idempotent. */
export async function recordUnchangedRun(
  world: SyncWorld,
  { registry, source, run, trigger, store, mayBeEmpty }: SyncRequest,
  {
    revision,
    stored,
    startedAt,
  }: { readonly revision: string; readonly stored: StoredContent; readonly startedAt: number },
): Promise<void> {
  const notice = emptinessNotice(stored, mayBeEmpty);
  const times = { startedAt, finishedAt: Date.now() };
  const outcome = { source, run, trigger, storeId: store.id, ...times, revision, stored, ...(notice && { notice }) };
  await record(world, registry, outcome);
}

async function record(world: SyncWorld, registry: RegistryRef, outcome: SyncOutcome): Promise<void> {
  const workflowId = syncWorkflowId(registry, outcome.source, outcome.run);
  const recorded = await world.catalogue.recordRun(registry, workflowId, outcome);
  if (recorded) world.onRun?.(registry, { ...outcome, ...recorded });
}

/**
 * Drops the counts, and the revision of a success unless it is the stored one. A later run may have published another
 * one in the meantime.
 */
function verified(outcome: Parameters<Implementation<'recordSyncRun'>>[1], stored: SourceEntity): SyncOutcome {
  const { counts: _, revision, ...rest } = outcome;
  const isKnown = outcome.failure !== undefined || revision === stored.revision;
  return { ...rest, ...(revision !== undefined && isKnown && { revision }) };
}
