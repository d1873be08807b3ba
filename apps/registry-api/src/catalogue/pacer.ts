import { setImmediate } from 'node:timers/promises';

/** How long work may keep the event loop to itself: requests wait for so long at most, and twice in a row is not much. */
const SHARE_MS = 4;

/** Lets work of any length go on beside requests. */
export class Pacer {
  #since = performance.now();

  /** A promise to be waited for when it is time to let others work, otherwise undefined. */
  rest(): Promise<void> | undefined {
    return performance.now() - this.#since < SHARE_MS ? undefined : this.#pause();
  }

  async #pause(): Promise<void> {
    await setImmediate();
    this.#since = performance.now();
  }
}
