import type { SyncRunRecord } from '#persistence/read-sync-runs.js';

/** Returns a run that has finished, which failed if it has a `failure`. `url`: where Temporal's UI shows it. */
export function toSyncRunView(run: SyncRunRecord, url?: string): object {
  const { workflowId, trigger, startedAt, finishedAt, revision, counts, warning } = run;
  return {
    workflowId,
    ...(url !== undefined && { url }),
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
