import { backoffMs } from './backoff.js';

const BACKOFF = { firstMs: 10_000, longestMs: 10 * 60_000 };
/** Maximum pause that a server may request by Retry-After. */
const LONGEST_PAUSE_MS = 24 * 60 * 60_000;
const LONGEST_JITTER_MS = 30_000;

/** An attempt to sync a source, with the facts that determine the next one. */
export interface SyncAttempt {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly finishedAt: number;
  /** Undefined if the source is synced only after a change or a trigger. */
  readonly intervalMs: number | undefined;
  /** Whether it failed in a way that may be temporary. */
  readonly isRetried: boolean;
  /** Number of failures since the last success, including this one. */
  readonly attemptCount: number;
  /** Pause that the source requested by Retry-After. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * Returns when and why the next sync is due; undefined if it waits for a change. `random` adds jitter: 0 is the
 * earliest time, 1 the latest.
 */
export function nextSync(
  { startedAt, finishedAt, intervalMs, isRetried, attemptCount, retryAfterMs = 0 }: SyncAttempt,
  random: number,
): { readonly atMs: number; readonly trigger: 'interval' | 'retry' } | undefined {
  if (isRetried) {
    const longestMs = Math.min(BACKOFF.longestMs, intervalMs ?? BACKOFF.longestMs);
    const backoff = backoffMs({ ...BACKOFF, longestMs }, attemptCount);
    // Count from the end of the attempt, so that an attempt that hung for minutes is not followed by the next one
    // immediately.
    const pauseMs = Math.max(backoff * (0.9 + random * 0.2), Math.min(retryAfterMs, LONGEST_PAUSE_MS));
    return { atMs: finishedAt + pauseMs, trigger: 'retry' };
  }
  if (intervalMs === undefined) return undefined;
  return { atMs: startedAt + intervalMs + random * jitterSpan(intervalMs), trigger: 'interval' };
}

/** Returns the maximum jitter, at most a tenth of the interval. It spreads sources that were started together. */
export function jitterSpan(intervalMs: number): number {
  return Math.min(intervalMs / 10, LONGEST_JITTER_MS);
}
