/** Large enough that a catalogue is a handful of blocks, small enough to be filled without a pause. */
const SLAB_BYTES = 4 * 1024 * 1024;

/** Where a text ended up. */
export interface Placed {
  slab: Buffer;
  start: number;
  end: number;
}

/** Packs texts, each followed by a comma, into blocks of exactly the size they need. */
export class SlabWriter {
  #waiting: { readonly text: string; readonly byteLength: number; readonly placed: Placed }[] = [];
  #waitingBytes = 0;
  readonly #onSlab: (slab: Buffer) => void;

  /** `onSlab` sees every block once, full and in order. */
  constructor(onSlab: (slab: Buffer) => void) {
    this.#onSlab = onSlab;
  }

  /** `placed` holds its final values after the next `flush`. */
  write(text: string, placed: Placed): void {
    const byteLength = Buffer.byteLength(text);
    this.#waiting.push({ text, byteLength, placed });
    this.#waitingBytes += byteLength + 1;
    if (this.#waitingBytes >= SLAB_BYTES) this.flush();
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    const slab = Buffer.allocUnsafeSlow(this.#waitingBytes);
    let start = 0;
    for (const { text, byteLength, placed } of this.#waiting) {
      slab.write(text, start);
      const end = start + byteLength;
      slab[end] = 0x2c;
      Object.assign(placed, { slab, start, end });
      start = end + 1;
    }
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#onSlab(slab);
  }
}
