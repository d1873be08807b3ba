import type { IncomingMessage } from 'node:http';

/** Too many bodies are being read at the moment. */
export class BodiesBusy extends Error {
  constructor() {
    super('too many requests of this kind are being read: retry later');
    this.name = 'BodiesBusy';
  }
}

/** After this time, a body that is still being read has to give way to another one. */
const GRACE_MS = 1_000;

/**
 * A counting semaphore for bodies that are read without a login. It never waits; it rejects. A client that sends slowly
 * does not keep others out: if no slot is free, the body that has been read for longest is aborted.
 */
export class BodySlots {
  /** The messages whose bodies are being read, oldest first, with the time at which that began. */
  readonly #read = new Map<IncomingMessage, number>();

  /** `now` returns the milliseconds of a monotonic clock; can be replaced in tests. */
  constructor(
    private readonly limit: number,
    private readonly now = () => performance.now(),
  ) {}

  /**
   * Takes a slot until the body of the request has been read or the client is gone. Throws BodiesBusy if there is none.
   */
  take(message: IncomingMessage): void {
    if (this.#read.size >= this.limit) this.#abortOldest();
    this.#read.set(message, this.now());
    message.once('close', () => this.#read.delete(message));
  }

  #abortOldest(): void {
    const [oldest, since] = this.#read.entries().next().value as [IncomingMessage, number];
    if (this.now() - since < GRACE_MS) throw new BodiesBusy();
    this.#read.delete(oldest);
    oldest.destroy();
  }
}
