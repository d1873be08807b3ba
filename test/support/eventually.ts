import { setTimeout as sleep } from 'node:timers/promises';

/** Asks until the answer is defined; the test's own time-out ends it otherwise. For changes that are not announced. */
export async function eventually<T>(ask: () => Promise<T | undefined> | T | undefined, everyMs = 50): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(everyMs);
  }
}
