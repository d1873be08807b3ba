import { expect, it } from 'vitest';
import { retryDelay } from './poller.js';

it('waits longer after each failure, up to a minute', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 100].map(retryDelay)).toEqual([
    2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000,
  ]);
});
