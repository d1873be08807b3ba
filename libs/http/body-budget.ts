/**
 * Bytes of each body that do not count towards the limit, so that large responses never cause small ones to be
 * rejected.
 */
const FREE_BYTES = 1024 * 1024;

/** Thrown if the large bodies of other requests already use all the memory that is allowed for such bodies. */
export class BodiesTooLarge extends Error {
  constructor(limit: number) {
    super(`other large responses already use the ${limit} bytes that all of them may use together`);
    this.name = 'BodiesTooLarge';
  }
}

/** The memory reserved for one body, until it is disposed of. */
export interface BodyHold extends Disposable {
  /** Reserves more bytes. Throws `BodiesTooLarge`. */
  add(bytes: number): void;
}

/**
 * Limits the total memory of bodies that are held at the same time. A body that does not fit fails at once, because
 * waiting bodies would hold memory, too.
 */
export class BodyBudget {
  #usedBytes = 0;

  constructor(readonly limitBytes: number) {}

  open(): BodyHold {
    let bytes = 0;
    let charged = 0;
    return {
      add: (more) => {
        bytes += more;
        const due = Math.max(0, bytes - FREE_BYTES) - charged;
        if (this.#usedBytes + due > this.limitBytes) throw new BodiesTooLarge(this.limitBytes);
        this.#usedBytes += due;
        charged += due;
      },
      [Symbol.dispose]: () => {
        this.#usedBytes -= charged;
        charged = 0;
      },
    };
  }
}
