/** The memory for answers is in use; it becomes free as clients read what was sent to them. */
export class Overloaded extends Error {
  constructor(wantedBytes: number, limitBytes: number) {
    super(
      wantedBytes > limitBytes
        ? `this answer takes ${wantedBytes} bytes of memory, and the server may use ${limitBytes} for answers; ` +
            'ask for fewer entries at a time, or raise the memory limit of the server'
        : 'the server is sending as many answers as its memory limit allows; try again in a moment',
    );
    this.name = 'Overloaded';
  }
}

/** Admission control by bytes: a weighted semaphore that refuses instead of letting callers wait. */
export class ByteBudget {
  #usedBytes = 0;

  constructor(readonly limitBytes: number) {}

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Reserves bytes until the returned function is called, which is idempotent. Throws `Overloaded` when they are not free. */
  acquire(bytes: number): () => void {
    if (this.#usedBytes + bytes > this.limitBytes) throw new Overloaded(bytes, this.limitBytes);
    this.#usedBytes += bytes;
    let isHeld = true;
    return () => {
      if (isHeld) this.#usedBytes -= bytes;
      isHeld = false;
    };
  }
}
