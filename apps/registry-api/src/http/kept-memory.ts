/** A cache that can be cleared. */
interface Clearable {
  clear(): void;
}

/** Memory of the reference to a cache, which outlives the cache until the next clearing. */
const REFERENCE_BYTES = 64;

/**
 * Limits the memory of all caches of a process. Above the limit all of them are cleared. That needs no accounting per
 * entry, and entries that clients still request are cached again. A cache that has been garbage collected counts until
 * the next clearing.
 */
export class KeptMemory {
  readonly #limitBytes: number;
  #caches = new Set<WeakRef<Clearable>>();
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  register(cache: Clearable): void {
    this.#caches.add(new WeakRef(cache));
    this.add(REFERENCE_BYTES);
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#limitBytes) this.#clearAll();
  }

  #clearAll(): void {
    const alive = new Set<WeakRef<Clearable>>();
    for (const ref of this.#caches) {
      const cache = ref.deref();
      if (!cache) continue;
      cache.clear();
      alive.add(ref);
    }
    this.#caches = alive;
    this.#bytes = 0;
  }
}
