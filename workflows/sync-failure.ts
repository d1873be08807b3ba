import { ActivityFailure, ApplicationFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import type { NoticeReason } from '#domain/notice.js';
import { isReason } from '#domain/reasons.js';
import type { Destiny } from '#domain/registry-error.js';
import type { SyncFailure } from '#domain/sync.js';

type Details = [Destiny?, (NoticeReason | null)?, (number | null)?, number?];

/** Messages for a timeout: the activity took too long, or the process that ran it stopped sending heartbeats. */
interface TimeoutWords {
  readonly slow: string;
  readonly silent: string;
}

const SYNC_TIMEOUTS: TimeoutWords = {
  slow: 'the source took longer than a sync may take',
  silent: 'the registry server stopped or became unreachable during the sync',
};

/** Converts an activity's failure to a failure of the sync. `activities/failure.ts` does the reverse. */
export function toSyncFailure(error: unknown, words: Partial<TimeoutWords> = {}): SyncFailure {
  if (isCancellation(error)) return { reason: 'Cancelled', message: 'the sync was cancelled', destiny: 'wait' };
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) return toTimeout(cause, { ...SYNC_TIMEOUTS, ...words });
  if (cause instanceof ApplicationFailure && isReason(cause.type)) {
    const [stated, notice, retryAfterMs, overtakenBy] = (cause.details ?? []) as Details;
    const destiny = stated ?? (cause.nonRetryable ? 'wait' : 'retry');
    return {
      reason: cause.type,
      message: cause.message,
      destiny,
      ...(notice && { notice }),
      ...(typeof retryAfterMs === 'number' && { retryAfterMs }),
      ...(typeof overtakenBy === 'number' && { overtakenBy }),
    };
  }
  const message = cause instanceof Error ? cause.message : 'the sync failed for an unknown reason';
  return { reason: 'InternalError', message, destiny: 'retry' };
}

function toTimeout({ timeoutType }: TimeoutFailure, { slow, silent }: TimeoutWords): SyncFailure {
  if (timeoutType === 'SCHEDULE_TO_START') {
    return {
      reason: 'StoreLost',
      message: 'no registry server accepted the sync; waiting for one to become available',
      destiny: 'wait',
    };
  }
  if (timeoutType === 'HEARTBEAT') {
    return { reason: 'TimedOut', message: silent, destiny: 'retry' };
  }
  return { reason: 'TimedOut', message: slow, destiny: 'retry' };
}
