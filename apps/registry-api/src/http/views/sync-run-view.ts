import type { SyncRunRecord } from '#persistence/read-sync-runs.js';
import { toShownMessage } from './shown-failure.js';

/** Converts a finished run, which failed if it has a `failure`. `url` is its page in Temporal's UI. */
export function toSyncRunView(run: SyncRunRecord, url?: string): object {
  const { workflowId, trigger, startedAt, finishedAt, revision, counts, warning, failureReason, failureMessage } = run;
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
    ...(failureReason !== null && {
      failure: { reason: failureReason, message: toShownMessage(failureReason, failureMessage) ?? '' },
    }),
  };
}
