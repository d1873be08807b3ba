/** A list of whole numbers below 2^32 that is appended to: a quarter of the memory of a plain array, and none per call. */
export class GrowingList {
  #items = new Uint32Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: number): void {
    if (this.#length === this.#items.length) {
      const larger = new Uint32Array(2 * this.#length);
      larger.set(this.#items);
      this.#items = larger;
    }
    this.#items[this.#length++] = item;
  }

  /** Not copied; valid until the next `push`. */
  view(): Uint32Array {
    return this.#items.subarray(0, this.#length);
  }

  /** Of exactly the size it needs. */
  toArray(): Uint32Array {
    return this.#items.slice(0, this.#length);
  }
}
