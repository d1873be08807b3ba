import type { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { HttpFailure } from '#http/http-failure.js';
import { toFailure } from './failure.js';

describe('a server that asks to be left alone', () => {
  const failureOf = (retryAfterMs?: number) =>
    toFailure(new HttpFailure('FetchFailed', 'busy', 'retry', { status: 429, retryAfterMs })) as ApplicationFailure;

  it('is asked again in the same sync when that is soon, and no sooner', () => {
    expect(failureOf(5_000)).toMatchObject({ nonRetryable: false, nextRetryDelay: 5_000 });
  });

  it('is not asked again in the same sync when that is late, though it may be in the next', () => {
    expect(failureOf(3_600_000)).toMatchObject({ nonRetryable: true, details: ['retry', null, 3_600_000] });
  });

  it('is asked as others are when it does not say for how long', () => {
    const failure = failureOf();
    expect(failure).toMatchObject({ nonRetryable: false, details: ['retry'] });
    expect(failure.nextRetryDelay).toBeUndefined();
  });
});
