import { setTimeout as sleep } from 'node:timers/promises';
import { defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import type { ConnectionOptions } from '@temporalio/client';

/**
 * Maximum delay between retries. The client's own delays are up to 5 s, and closing has to wait for the current one.
 */
const LONGEST_PAUSE_MS = 1_000;

/**
 * Returns interceptors for the client's retries. The client does not cancel pending retries when its connection is
 * closed, and a call that is retried after that throws where the error cannot be caught, which terminates the process.
 * `settle` prevents further retries, and resolves when the last pending one has started.
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
