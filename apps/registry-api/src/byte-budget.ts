/** Thrown if the memory for responses is exhausted. Memory is released as clients read the data sent to them. */
export class Overloaded extends Error {
  constructor(wantedBytes: number, limitBytes: number) {
    super(
      wantedBytes > limitBytes
        ? `this response takes ${wantedBytes} bytes of memory, and the server may use ${limitBytes} for responses; ` +
            'request fewer entries per page, or raise the memory limit of the server'
        : 'the server is sending as many responses as its memory limit allows; retry in a moment',
    );
    this.name = 'Overloaded';
  }
}

/** Admission control by bytes: a weighted semaphore that rejects callers instead of letting them wait. */
export class ByteBudget {
  #usedBytes = 0;

  constructor(readonly limitBytes: number) {}

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * Reserves bytes. Returns an idempotent function that releases them. Throws `Overloaded` if not enough bytes are
   * free.
   */
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
