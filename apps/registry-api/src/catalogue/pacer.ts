import { setImmediate } from 'node:timers/promises';

/** What readers wait for: requests wait for so long at most, and twice in a row is not much. */
const SHARE_MS = 4;
/** What nobody waits for: who asks one request after the other, as `thv` does, notices each of these. */
const IDLE_SHARE_MS = 0.5;

/** Lets work of any length go on beside requests. */
export class Pacer {
  #since = performance.now();
  readonly #shareMs: number;

  /** `shareMs`: how long work may keep the event loop to itself. */
  constructor(shareMs = SHARE_MS) {
    this.#shareMs = shareMs;
  }

  /** For work that can wait. */
  static idle(): Pacer {
    return new Pacer(IDLE_SHARE_MS);
  }

  /** A promise to be waited for when it is time to let others work, otherwise undefined. */
  rest(): Promise<void> | undefined {
    return performance.now() - this.#since < this.#shareMs ? undefined : this.#pause();
  }

  async #pause(): Promise<void> {
    await setImmediate();
    this.#since = performance.now();
  }
}
