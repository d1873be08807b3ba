import { Context } from '@temporalio/activity';

/** Number of heartbeats within the workflow's timeout, so that a single lost heartbeat does no harm. */
const BEATS_PER_TIMEOUT = 3;
const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Runs an activity with regular heartbeats, so that Temporal notices within seconds when the process is killed by `kill
 * -9`, and passes it an abort signal that fires on cancellation. `progress` sets the note that Temporal shows with the
 * pending activity.
 */
export async function underHeartbeat<T>(
  work: (scope: { signal: AbortSignal; progress(note: string): void }) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  let note: string | undefined;
  const { heartbeatTimeoutMs = DEFAULT_TIMEOUT_MS } = context.info;
  const beat = setInterval(() => context.heartbeat(note), heartbeatTimeoutMs / BEATS_PER_TIMEOUT);
  try {
    return await work({ signal: context.cancellationSignal, progress: (latest) => void (note = latest) });
  } finally {
    clearInterval(beat);
  }
}
