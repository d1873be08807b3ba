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

/** After this time, the user of reserved bytes has to give way to others. */
const GRACE_MS = 30_000;

/**
 * Admission control by bytes: a weighted semaphore that rejects callers instead of letting them wait. A client that reads
 * slowly does not keep others out: a caller that is rejected aborts the user that has held its bytes for longest.
 */
export class ByteBudget {
  #usedBytes = 0;
  /** The users of reserved bytes, oldest first, with the time at which each began. */
  readonly #users = new Map<{ destroy(): unknown }, number>();

  /** `now` returns the milliseconds of a monotonic clock; can be replaced in tests. */
  constructor(
    readonly limitBytes: number,
    private readonly now = () => performance.now(),
  ) {}

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * Reserves bytes. Returns an idempotent function that releases them. Throws `Overloaded` if not enough bytes are
   * free.
   */
  acquire(bytes: number): () => void {
    const release = this.tryAcquire(bytes);
    if (!release) throw new Overloaded(bytes, this.limitBytes);
    return release;
  }

  /** Reserves bytes like `acquire`, but returns undefined if not enough are free. */
  tryAcquire(bytes: number): (() => void) | undefined {
    if (this.#usedBytes + bytes > this.limitBytes) {
      this.#abortOldest();
      return undefined;
    }
    this.#usedBytes += bytes;
    let isHeld = true;
    return () => {
      if (isHeld) this.#usedBytes -= bytes;
      isHeld = false;
    };
  }

  /** Registers a response that uses reserved bytes. Returns a function that removes it. */
  track(user: { destroy(): unknown }): () => void {
    this.#users.set(user, this.now());
    return () => void this.#users.delete(user);
  }

  #abortOldest(): void {
    const [oldest, since] = this.#users.entries().next().value ?? [];
    if (!oldest || since === undefined || this.now() - since < GRACE_MS) return;
    this.#users.delete(oldest);
    oldest.destroy();
  }
}

/** The memory of a body that several responses may send at the same time. It is reserved while at least one does. */
export class SharedBytes {
  #holders = 0;
  #release: (() => void) | undefined;

  constructor(
    private readonly budget: ByteBudget,
    private readonly bytes: number,
  ) {}

  /** Returns an idempotent function for one response to release the memory; undefined if there is not enough. */
  tryHold(): (() => void) | undefined {
    if (this.#holders === 0) this.#release = this.budget.tryAcquire(this.bytes);
    if (!this.#release) return undefined;
    this.#holders++;
    let isHeld = true;
    return () => {
      if (isHeld && --this.#holders === 0) this.#release?.();
      isHeld = false;
    };
  }
}
