import { setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '#domain/backoff.js';
import type { Backoff } from '#domain/backoff.js';

export interface RetryOptions extends Backoff {
  /** Aborts the current pause, and the loop after the current attempt. */
  readonly signal: AbortSignal;
  /** Called with each failure and the pause that follows. An error that it throws ends the loop. */
  onFailure(error: unknown, pauseMs: number): void;
}

/**
 * Repeats `attempt` until it succeeds, with exponential backoff, and with jitter because many processes may lose the
 * same server at the same moment. An attempt that has worked for a while calls `reset`, so that the next pause is the
 * shortest again. Returns the result, or undefined once the signal has fired; later failures are ignored.
 */
export async function retryForever<T>(
  attempt: (reset: () => void) => Promise<T>,
  { signal, onFailure, ...backoff }: RetryOptions,
): Promise<T | undefined> {
  let failures = 0;
  const reset = () => void (failures = 0);
  while (!signal.aborted) {
    try {
      return await attempt(reset);
    } catch (error) {
      if (signal.aborted) break;
      failures += 1;
      const pauseMs = backoffMs(backoff, failures) * (0.5 + Math.random());
      onFailure(error, pauseMs);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}
