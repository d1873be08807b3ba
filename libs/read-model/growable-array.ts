const LEAST_ITEMS = 1024;

/**
 * A growable array of integers below 2^32. It uses a quarter of the memory of a plain array, without an allocation per
 * item. When it grows, the previous memory is freed immediately, without waiting for the garbage collector.
 */
export class GrowableArray {
  #items = new Uint32Array(LEAST_ITEMS);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  at(index: number): number {
    return this.#items[index] as number;
  }

  push(item: number): void {
    if (this.#length === this.#items.length) this.#resize(Math.max(LEAST_ITEMS, 2 * this.#length));
    this.#items[this.#length++] = item;
  }

  /** Returns the items without copying them. The result is valid until the next call. */
  view(): Uint32Array {
    return this.#items.subarray(0, this.#length);
  }

  /** Returns the items in an array of exactly the right size, and empties this one. */
  take(): Uint32Array {
    this.#resize(this.#length);
    const items = this.#items;
    this.#items = new Uint32Array(0);
    this.#length = 0;
    return items;
  }

  clear(): void {
    this.#length = 0;
    this.#resize(0);
  }

  #resize(length: number): void {
    this.#items = new Uint32Array(this.#items.buffer.transfer(length * Uint32Array.BYTES_PER_ELEMENT));
  }
}

/**
 * Returns the index of the last item that is at most `value`, using binary search. The items must be in ascending
 * order.
 */
export function lastAtMost(items: Uint32Array, value: number): number {
  let low = 0;
  let high = items.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((items[middle] as number) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
