import { setTimeout as sleep } from 'node:timers/promises';
import { defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import type { ConnectionOptions } from '@temporalio/client';

/** The client's own pauses take up to 5 s, and closing has to wait for the one that has begun. */
const LONGEST_PAUSE_MS = 1_000;

/**
 * The client's retries, which it does not take back when its connection is closed: a call that is repeated after that throws
 * where it cannot be caught, and ends the process. `settle` lets no call be repeated any more, and resolves when the last
 * repetition that was under way has begun.
 */
export function patientRetries(): {
  readonly interceptors: NonNullable<ConnectionOptions['interceptors']>;
  settle(): Promise<void>;
} {
  const { retryableDecider, delayFunction } = defaultGrpcRetryOptions();
  let settling = false;
  let lastRetryAtMs = 0;
  const interceptor = makeGrpcRetryInterceptor({
    retryableDecider: (attempt, status) => !settling && retryableDecider(attempt, status),
    delayFunction(attempt, status) {
      const pauseMs = Math.min(LONGEST_PAUSE_MS, delayFunction(attempt, status));
      lastRetryAtMs = Math.max(lastRetryAtMs, Date.now() + pauseMs);
      return pauseMs;
    },
  });
  return {
    interceptors: [interceptor],
    async settle() {
      settling = true;
      const remainingMs = lastRetryAtMs - Date.now();
      if (remainingMs >= 0) await sleep(remainingMs + 50);
    },
  };
}
