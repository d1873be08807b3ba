import { Context } from '@temporalio/activity';

/** How many heartbeats are sent within the workflow's time-out, so that one lost heartbeat does no harm. */
const BEATS_PER_TIMEOUT = 3;
const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Runs an activity under a steady heartbeat, so that its end by `kill -9` is noticed within seconds, and hands it the
 * signal of its cancellation. `progress` sets the note that Temporal shows with the pending activity.
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
