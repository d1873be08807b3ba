import { expect, it } from 'vitest';
import { retryForever } from './retry-forever.js';

const backoff = { firstMs: 2, longestMs: 8 };

/** Returns a function that fails the given number of times and then returns `done`. */
function failing(times: number, onAttempt: (attempt: number, reset: () => void) => void = () => undefined) {
  let attempts = 0;
  return async (reset: () => void) => {
    attempts += 1;
    onAttempt(attempts, reset);
    if (attempts <= times) throw new Error(`failure ${attempts}`);
    return 'done';
  };
}

it('repeats until an attempt succeeds, with pauses that double up to a maximum, plus jitter', async () => {
  const pauses: number[] = [];
  const { signal } = new AbortController();
  const options = { ...backoff, signal, onFailure: (_: unknown, pauseMs: number) => void pauses.push(pauseMs) };
  expect(await retryForever(failing(5), options)).toBe('done');
  const bases = [2, 4, 8, 8, 8];
  expect(pauses).toHaveLength(bases.length);
  bases.forEach((base, index) => {
    expect(pauses[index]).toBeGreaterThanOrEqual(base / 2);
    expect(pauses[index]).toBeLessThan(base * 1.5);
  });
});

it('starts again with the first pause after an attempt that has worked', async () => {
  const pauses: number[] = [];
  const { signal } = new AbortController();
  const attempt = failing(4, (count, reset) => count === 4 && reset());
  await retryForever(attempt, { ...backoff, signal, onFailure: (_, pauseMs) => void pauses.push(pauseMs) });
  expect(pauses[3]).toBeLessThan(3);
});

it('stops during a pause when the signal fires, without another attempt', async () => {
  const ending = new AbortController();
  const attempts: number[] = [];
  const attempt = failing(Infinity, (count) => void attempts.push(count));
  const result = retryForever(attempt, {
    firstMs: 3_600_000,
    longestMs: 3_600_000,
    signal: ending.signal,
    onFailure: () => setImmediate(() => ending.abort()),
  });
  expect(await result).toBeUndefined();
  expect(attempts).toEqual([1]);
  expect(
    await retryForever(attempt, { ...backoff, signal: ending.signal, onFailure: () => undefined }),
  ).toBeUndefined();
  expect(attempts).toEqual([1]);
});

it('stops with the error that the listener throws', async () => {
  const { signal } = new AbortController();
  const options = {
    ...backoff,
    signal,
    onFailure: (error: unknown) => {
      throw error;
    },
  };
  await expect(retryForever(failing(1), options)).rejects.toThrow('failure 1');
});
