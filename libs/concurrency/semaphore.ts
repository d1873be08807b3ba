/** A fair semaphore with at most `limit` holders. Waiters are served first in, first out. */
export class Semaphore {
  #held = 0;
  readonly #waiters: (() => void)[] = [];

  constructor(private readonly limit: number) {}

  /** Resolves with a permit, which is released by disposing of it. Throws the abort reason if `signal` fires first. */
  async acquire(signal?: AbortSignal): Promise<Disposable> {
    signal?.throwIfAborted();
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

  /** Resolves when a holder passes its permit on. */
  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(proceed), 1);
        reject(signal?.reason);
      };
      const proceed = (): void => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      this.#waiters.push(proceed);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  }

  #release(): void {
    const next = this.#waiters.shift();
    if (next) next();
    else this.#held--;
  }
}
