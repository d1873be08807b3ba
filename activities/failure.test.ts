import type { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { HttpFailure } from '#http/http-failure.js';
import { toFailure } from './failure.js';

describe('a server that sends Retry-After', () => {
  const failureOf = (retryAfterMs?: number) =>
    toFailure(new HttpFailure('FetchFailed', 'busy', 'retry', { status: 429, retryAfterMs })) as ApplicationFailure;

  it('is retried within the same sync if the delay is short, but not earlier', () => {
    expect(failureOf(5_000)).toMatchObject({ nonRetryable: false, nextRetryDelay: 5_000 });
  });

  it('is not retried within the same sync if the delay is long', () => {
    expect(failureOf(3_600_000)).toMatchObject({ nonRetryable: true, details: ['retry', null, 3_600_000] });
  });

  it('is retried as usual if it specifies no delay', () => {
    const failure = failureOf();
    expect(failure).toMatchObject({ nonRetryable: false, details: ['retry'] });
    expect(failure.nextRetryDelay).toBeUndefined();
  });
});
