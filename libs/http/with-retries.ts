import { setTimeout as pause } from 'node:timers/promises';
import { backoffMs } from '#domain/backoff.js';
import type { Backoff } from '#domain/backoff.js';
import { formatDuration } from '#domain/go-duration.js';
import { HttpFailure } from './http-failure.js';

export interface RetryPolicy extends Backoff {
  readonly attempts: number;
  /**
   * Maximum `Retry-After` in milliseconds. If a server asks for a longer delay, the request is not retried here; the
   * failed sync is retried later.
   */
  readonly maxRetryAfterMs: number;
}

export const RETRY_POLICY: RetryPolicy = {
  attempts: 3,
  firstMs: 500,
  longestMs: 15_000,
  maxRetryAfterMs: 60_000,
};

/**
 * Retries after transient failures, but never sooner than the server asks for. Throws the last failure, or the abort
 * reason.
 */
export async function withRetries<T>(
  work: () => Promise<T>,
  policy: RetryPolicy,
  { signal, progress }: { signal: AbortSignal; progress(note: string): void },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const delayMs = error instanceof HttpFailure ? delayAfter(error, attempt, policy) : undefined;
      if (delayMs === undefined) throw error;
      progress(`attempt ${attempt} of ${policy.attempts} failed, the next one starts in ${formatDuration(delayMs)}`);
      await pause(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

/** Returns the delay in milliseconds before the next attempt, or undefined to give up. */
function delayAfter(failure: HttpFailure, attempt: number, policy: RetryPolicy): number | undefined {
  const { attempts, maxRetryAfterMs } = policy;
  const { destiny, retryAfterMs = 0 } = failure;
  if (destiny !== 'retry' || attempt >= attempts || retryAfterMs > maxRetryAfterMs) return undefined;
  // Half of the delay is jitter, so that many sources on the same server do not retry at the same time.
  return Math.max(retryAfterMs, backoffMs(policy, attempt) * (0.5 + Math.random() / 2));
}
