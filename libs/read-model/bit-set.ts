/** A bitset: a set of positions in a list, with one bit each. */
export class BitSet {
  readonly #words: Uint32Array;

  constructor(length: number) {
    this.#words = new Uint32Array((length + 31) >>> 5);
  }

  static full(length: number): BitSet {
    const all = new BitSet(length);
    all.#words.fill(0xffffffff);
    if (length % 32 !== 0) all.#words[all.#words.length - 1] = 2 ** (length % 32) - 1;
    return all;
  }

  static of(length: number, positions: Uint32Array): BitSet {
    const set = new BitSet(length);
    for (const position of positions) set.add(position);
    return set;
  }

  add(position: number): void {
    const word = position >>> 5;
    this.#words[word] = (this.#words[word] as number) | (1 << (position & 31));
  }

  has(position: number): boolean {
    return ((this.#words[position >>> 5] as number) & (1 << (position & 31))) !== 0;
  }

  /** Intersects this set with another set for the same list. */
  keep(other: BitSet): this {
    const words = this.#words;
    for (let at = 0; at < words.length; at++) words[at] = (words[at] as number) & (other.#words[at] as number);
    return this;
  }

  remove(other: BitSet): this {
    const words = this.#words;
    for (let at = 0; at < words.length; at++) words[at] = (words[at] as number) & ~(other.#words[at] as number);
    return this;
  }

  isEmpty(): boolean {
    return this.#words.every((word) => word === 0);
  }

  get size(): number {
    let size = 0;
    for (let word of this.#words) {
      // Population count: adds up pairs, then groups of four bits, then bytes, in parallel.
      word -= (word >>> 1) & 0x55555555;
      word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
      size += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
    }
    return size;
  }

  /** Returns the members in ascending order. */
  toArray(): Uint32Array {
    const positions = new Uint32Array(this.size);
    let count = 0;
    for (let at = 0; at < this.#words.length; at++) {
      for (let word = this.#words[at] as number; word !== 0; word &= word - 1) {
        positions[count++] = at * 32 + 31 - Math.clz32(word & -word);
      }
    }
    return positions;
  }
}
