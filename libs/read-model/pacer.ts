/**
 * Length of a slice of work that readers wait for, in milliseconds. Other requests are delayed by at most this time.
 */
const SHARE_MS = 4;
/**
 * Length of a slice of background work, in milliseconds. It is shorter, because clients that send one request after
 * another notice each delay.
 */
const IDLE_SHARE_MS = 0.5;

/** The tasks of this process that wait for their next slice of work, in the order of their arrival. */
const waiting: (() => void)[] = [];

/**
 * Resolves in a later turn of the event loop, together with no other caller: each turn continues only one task, so that
 * requests are delayed by the slice of one task, however many tasks there are.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(continueOne);
  });
}

function continueOne(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(continueOne);
}

/** Cooperative scheduling: splits long work into slices, so that requests can be served in between. */
export class Pacer {
  #since = performance.now();
  readonly #shareMs: number;

  /** `shareMs` is how long a slice of work may block the event loop. */
  constructor(shareMs = SHARE_MS) {
    this.#shareMs = shareMs;
  }

  /** Creates a pacer for background work. */
  static idle(): Pacer {
    return new Pacer(IDLE_SHARE_MS);
  }

  /** Returns a promise that the caller must await if the slice is used up, otherwise undefined. */
  rest(): Promise<void> | undefined {
    return performance.now() - this.#since < this.#shareMs ? undefined : this.#pause();
  }

  async #pause(): Promise<void> {
    await nextTurn();
    this.#since = performance.now();
  }
}
