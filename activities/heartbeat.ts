import { Context } from '@temporalio/activity';

/** Well below the heartbeat time-out of `workflows/activity-options.ts`, so that one lost beat is no death. */
const BEAT_MS = 3_000;

/**
 * Runs an activity under a steady heartbeat, so that its end by `kill -9` is noticed within seconds, and hands it the
 * signal of its cancellation. `progress` notes what moved, for whoever looks at the pending activity.
 */
export async function underHeartbeat<T>(
  work: (scope: { signal: AbortSignal; progress(note: string): void }) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  let note: string | undefined;
  const beat = setInterval(() => context.heartbeat(note), BEAT_MS);
  try {
    return await work({ signal: context.cancellationSignal, progress: (latest) => void (note = latest) });
  } finally {
    clearInterval(beat);
  }
}
