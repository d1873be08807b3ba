import type { IncomingMessage } from 'node:http';

/** Bodies of anonymous callers that are read at a time, each of at most 1 MiB. */
const MAX_BODIES = 16;

/** Too many callers have a server.json validated at the moment. */
export class ValidationBusy extends Error {
  constructor() {
    super('too many documents are being validated: retry later');
  }
}

/** A counting semaphore for bodies that are read without a login: it never waits, it refuses. */
export class ValidationSlots {
  #taken = 0;

  /** Takes a slot until the body of the request was read or the client is gone; throws ValidationBusy. */
  take(message: IncomingMessage): void {
    if (this.#taken >= MAX_BODIES) throw new ValidationBusy();
    this.#taken++;
    message.once('close', () => this.#taken--);
  }
}
