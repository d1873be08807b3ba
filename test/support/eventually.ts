import { setTimeout as sleep } from 'node:timers/promises';

/** Polls until the result is defined, or until the test times out. For changes that are not announced. */
export async function eventually<T>(ask: () => Promise<T | undefined> | T | undefined, everyMs = 50): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(everyMs);
  }
}
