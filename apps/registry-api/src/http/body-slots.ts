import type { IncomingMessage } from 'node:http';

/** Too many bodies are being read at the moment. */
export class BodiesBusy extends Error {
  constructor() {
    super('too many requests of this kind are being read: retry later');
    this.name = 'BodiesBusy';
  }
}

/** A counting semaphore for bodies that are read without a login. It never waits; it rejects. */
export class BodySlots {
  #taken = 0;

  constructor(private readonly limit: number) {}

  /**
   * Takes a slot until the body of the request has been read or the client is gone. Throws BodiesBusy if there is none.
   */
  take(message: IncomingMessage): void {
    if (this.#taken >= this.limit) throw new BodiesBusy();
    this.#taken++;
    message.once('close', () => this.#taken--);
  }
}
