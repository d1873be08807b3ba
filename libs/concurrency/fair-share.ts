import { Semaphore } from './semaphore.js';

/** A bulkhead: at most `limit` jobs with the same key run at a time, and they never wait for jobs with other keys. */
export class FairShare {
  readonly #shares = new Map<string, { readonly semaphore: Semaphore; users: number }>();

  constructor(private readonly limit: number) {}

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const share = this.#shares.get(key) ?? { semaphore: new Semaphore(this.limit), users: 0 };
    this.#shares.set(key, share);
    share.users++;
    try {
      using _permit = await share.semaphore.acquire();
      return await work();
    } finally {
      if (--share.users === 0) this.#shares.delete(key);
    }
  }
}
