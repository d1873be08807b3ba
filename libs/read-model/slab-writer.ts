/** Large enough that a catalogue is a handful of blocks, small enough to be filled without a pause. */
const SLAB_BYTES = 4 * 1024 * 1024;
/** Size of the first block, which may stay the only one. */
const FIRST_SLAB_BYTES = 64 * 1024;

/** A slab allocator that only appends: it hands out pieces of large blocks of memory, one after the other. */
export class SlabWriter {
  readonly #full: Buffer[] = [];
  #current = Buffer.alloc(0);
  #used = 0;
  #bytes = 0;

  /** Bytes that were handed out so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Makes room for a piece of this size in one block; returns the number of the block. */
  reserve(bytes: number): number {
    if (this.#used + bytes > this.#current.length) {
      this.#closeCurrent();
      const usual = this.#full.length === 0 ? FIRST_SLAB_BYTES : SLAB_BYTES;
      this.#current = Buffer.allocUnsafeSlow(Math.max(usual, bytes));
      this.#used = 0;
    }
    return this.#full.length;
  }

  /** Fills a part of what was reserved; returns where it begins in its block. */
  put(bytes: Buffer): number {
    const start = this.#used;
    bytes.copy(this.#current, start);
    return this.#advance(start, bytes.length);
  }

  /** Overwrites bytes that were put into a block. */
  overwrite(block: number, start: number, bytes: Buffer): void {
    bytes.copy(this.#full[block] ?? this.#current, start);
  }

  /** Returns all blocks, trimmed to what is used. */
  finish(): readonly Buffer[] {
    this.#closeCurrent();
    return this.#full;
  }

  #advance(start: number, bytes: number): number {
    this.#used += bytes;
    this.#bytes += bytes;
    return start;
  }

  #closeCurrent(): void {
    if (this.#used === 0) return;
    const spare = this.#current.length - this.#used;
    // A few kilobytes are not worth a copy; memory that was copied is freed at once.
    const isTight = spare < this.#current.length / 64;
    this.#full.push(isTight ? this.#current : Buffer.from(this.#current.buffer.transfer(this.#used)));
    this.#used = 0;
    this.#current = Buffer.alloc(0);
  }
}
