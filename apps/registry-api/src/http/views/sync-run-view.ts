import type { SyncRunRecord } from '#persistence/read-sync-runs.js';

/** A run that has finished; it failed if it has a `failure`. */
export function toSyncRunView(run: SyncRunRecord): object {
  const { workflowId, trigger, startedAt, finishedAt, revision, counts, warning } = run;
  return {
    workflowId,
    trigger,
    ...(revision !== null && { revision }),
    startedAt,
    finishedAt,
    durationMs: finishedAt.getTime() - startedAt.getTime(),
    ...(counts && { counts }),
    ...(warning !== null && { warning }),
    ...(run.failureReason !== null && { failure: { reason: run.failureReason, message: run.failureMessage ?? '' } }),
  };
}
