import { setImmediate } from 'node:timers/promises';

/** Milliseconds for work that readers wait for: the longest that a request is delayed by it. */
const SHARE_MS = 4;
/** Milliseconds for background work: clients that send one request after the other notice each delay. */
const IDLE_SHARE_MS = 0.5;

/** Cooperative scheduling: splits long work into slices, and lets requests be served between them. */
export class Pacer {
  #since = performance.now();
  readonly #shareMs: number;

  /** `shareMs`: how long a slice of work may block the event loop. */
  constructor(shareMs = SHARE_MS) {
    this.#shareMs = shareMs;
  }

  /** Creates a pacer for background work. */
  static idle(): Pacer {
    return new Pacer(IDLE_SHARE_MS);
  }

  /** Returns a promise to be awaited when the slice is used up, otherwise undefined. */
  rest(): Promise<void> | undefined {
    return performance.now() - this.#since < this.#shareMs ? undefined : this.#pause();
  }

  async #pause(): Promise<void> {
    await setImmediate();
    this.#since = performance.now();
  }
}
