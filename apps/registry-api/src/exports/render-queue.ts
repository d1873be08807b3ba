import { API_LIMITS } from '../limits.js';

/** As many exports as the process takes are being rendered or wait for it. */
export class ExportBusy extends Error {
  constructor() {
    super('too many exports are being rendered: retry later');
    this.name = 'ExportBusy';
  }
}

/** A semaphore of one with a bounded queue: a rendering takes the processor and the memory of a whole view. */
export class RenderQueue {
  #last: Promise<void> = Promise.resolve();
  #taken = 0;

  constructor(private readonly limit: number = API_LIMITS.queuedExports) {}

  /** Runs a task after all that came before it, whatever became of them. Throws `ExportBusy` when the queue is full. */
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
