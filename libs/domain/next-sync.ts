const FIRST_BACKOFF_MS = 10_000;
const LONGEST_BACKOFF_MS = 10 * 60_000;
/** The longest pause that a server may ask for by Retry-After. */
const LONGEST_PAUSE_MS = 24 * 60 * 60_000;
const LONGEST_JITTER_MS = 30_000;

/** An attempt to sync a source, and what it says about the next one. */
export interface SyncAttempt {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly finishedAt: number;
  /** Undefined when the source is synced only on a change or a trigger. */
  readonly intervalMs: number | undefined;
  /** It failed in a way that may pass by itself. */
  readonly isRetried: boolean;
  /** Failures since the last success, this one included. */
  readonly attemptCount: number;
  /** The source asked to be left alone for so long. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * Returns when the next sync is due, and why; undefined when it waits for a change. `random` spreads it: 0 is the earliest
 * moment, 1 the latest.
 */
export function nextSync(
  { startedAt, finishedAt, intervalMs, isRetried, attemptCount, retryAfterMs = 0 }: SyncAttempt,
  random: number,
): { readonly atMs: number; readonly trigger: 'interval' | 'retry' } | undefined {
  if (isRetried) {
    const longest = Math.min(LONGEST_BACKOFF_MS, intervalMs ?? LONGEST_BACKOFF_MS);
    const backoffMs = Math.min(longest, FIRST_BACKOFF_MS * 2 ** (attemptCount - 1));
    // Counted from the end of the attempt: one that hung for minutes must not be followed by the next at once.
    const pauseMs = Math.max(backoffMs * (0.9 + random * 0.2), Math.min(retryAfterMs, LONGEST_PAUSE_MS));
    return { atMs: finishedAt + pauseMs, trigger: 'retry' };
  }
  if (intervalMs === undefined) return undefined;
  return { atMs: startedAt + intervalMs + random * jitterSpan(intervalMs), trigger: 'interval' };
}

/** At most a tenth of the interval: spreads sources that were started together. */
export function jitterSpan(intervalMs: number): number {
  return Math.min(intervalMs / 10, LONGEST_JITTER_MS);
}
