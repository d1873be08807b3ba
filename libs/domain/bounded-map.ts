/**
 * A map of at most `limit` entries. Beyond that, the entry that was set longest ago is evicted, as in a FIFO cache. A
 * reader that sets each entry again when it finds it turns the map into an LRU cache.
 */
export class BoundedMap<Key, Value> extends Map<Key, Value> {
  readonly #limit: number;

  constructor(limit: number) {
    super();
    this.#limit = limit;
  }

  /** Sets an entry, which becomes the newest. */
  override set(key: Key, value: Value): this {
    this.delete(key);
    super.set(key, value);
    if (this.size > this.#limit) this.delete(this.keys().next().value as Key);
    return this;
  }
}
