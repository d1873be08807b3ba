/**
 * Size of a block. Large enough that a catalogue needs only a few blocks, and small enough to be filled without a
 * noticeable pause.
 */
const SLAB_BYTES = 4 * 1024 * 1024;
/** Size of the first block, which may remain the only one. */
const FIRST_SLAB_BYTES = 64 * 1024;

/** An append-only slab allocator: allocates consecutive pieces of large memory blocks. */
export class SlabWriter {
  readonly #full: Buffer[] = [];
  #current = Buffer.alloc(0);
  #used = 0;
  #bytes = 0;

  /** Number of bytes that have been allocated. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Reserves space for a piece of this size within one block. Returns the number of the block. */
  reserve(bytes: number): number {
    if (this.#used + bytes > this.#current.length) {
      this.#closeCurrent();
      const usual = this.#full.length === 0 ? FIRST_SLAB_BYTES : SLAB_BYTES;
      this.#current = Buffer.allocUnsafeSlow(Math.max(usual, bytes));
      this.#used = 0;
    }
    return this.#full.length;
  }

  /** Writes to the reserved space. Returns the start of the bytes within the block. */
  put(bytes: Buffer): number {
    const start = this.#used;
    bytes.copy(this.#current, start);
    return this.#advance(start, bytes.length);
  }

  /** Overwrites bytes that were written to a block. */
  overwrite(block: number, start: number, bytes: Buffer): void {
    bytes.copy(this.#full[block] ?? this.#current, start);
  }

  /** Returns all blocks, trimmed to their used size. */
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
    // A few spare kilobytes are not worth a copy. Memory that was copied is freed immediately.
    const isTight = spare < this.#current.length / 64;
    this.#full.push(isTight ? this.#current : Buffer.from(this.#current.buffer.transfer(this.#used)));
    this.#used = 0;
    this.#current = Buffer.alloc(0);
  }
}
