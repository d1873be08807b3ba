import { setTimeout as pause } from 'node:timers/promises';
import { formatDuration } from '#domain/go-duration.js';
import { HttpFailure } from './http-failure.js';

export interface RetryPolicy {
  readonly attempts: number;
  /** Doubles with each attempt. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** A server that asks for more with Retry-After is not asked again here: the failed sync is retried later. */
  readonly maxRetryAfterMs: number;
}

export const RETRY_POLICY: RetryPolicy = {
  attempts: 3,
  firstDelayMs: 500,
  maxDelayMs: 15_000,
  maxRetryAfterMs: 60_000,
};

/** Does it again after transient failures, never sooner than the server asks. Throws the last failure, or the abort reason. */
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
      progress(`attempt ${attempt} of ${policy.attempts} failed, the next follows in ${formatDuration(delayMs)}`);
      await pause(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

/** Undefined: give up. */
function delayAfter(failure: HttpFailure, attempt: number, policy: RetryPolicy): number | undefined {
  const { attempts, firstDelayMs, maxDelayMs, maxRetryAfterMs } = policy;
  const { destiny, retryAfterMs = 0 } = failure;
  if (destiny !== 'retry' || attempt >= attempts || retryAfterMs > maxRetryAfterMs) return undefined;
  const backoffMs = Math.min(maxDelayMs, firstDelayMs * 2 ** (attempt - 1));
  // Half of it by chance, so that many sources of one server do not come back together.
  return Math.max(retryAfterMs, backoffMs * (0.5 + Math.random() / 2));
}
