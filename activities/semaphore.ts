/** A fair semaphore: at most `limit` holders; waiters are served first in, first out. */
export class Semaphore {
  #held = 0;
  readonly #waiters: (() => void)[] = [];

  constructor(private readonly limit: number) {}

  /** Resolves with a permit; dispose of it to release it. Throws the abort reason when `signal` fires first. */
  async acquire(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#held < this.limit) this.#held++;
    else await this.#wait(signal);
    let isReleased = false;
    return {
      [Symbol.dispose]: () => {
        if (isReleased) return;
        isReleased = true;
        this.#release();
      },
    };
  }

  /** Resolves when a holder hands its permit over. */
  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(proceed), 1);
        reject(signal.reason);
      };
      const proceed = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      this.#waiters.push(proceed);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  #release(): void {
    const next = this.#waiters.shift();
    if (next) next();
    else this.#held--;
  }
}
