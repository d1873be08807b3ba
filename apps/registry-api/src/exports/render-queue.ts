import { API_LIMITS } from '../limits.js';

/** Thrown if the maximum number of running and waiting renderings is reached. */
export class ExportBusy extends Error {
  constructor() {
    super('too many exports are being rendered: retry later');
    this.name = 'ExportBusy';
  }
}

/**
 * Runs one rendering at a time, with a bounded queue, because each one needs a full core and the memory of a whole
 * view.
 */
export class RenderQueue {
  #last: Promise<void> = Promise.resolve();
  #taken = 0;

  constructor(private readonly limit: number = API_LIMITS.queuedExports) {}

  /** Runs a task after all earlier ones, whether or not they failed. Throws `ExportBusy` if the queue is full. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#taken >= this.limit) throw new ExportBusy();
    this.#taken++;
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    try {
      return await task();
    } finally {
      this.#taken--;
      resolve();
    }
  }
}
