/** A cache that can be cleared. */
interface Clearable {
  clear(): void;
}

/**
 * The memory that all caches of a process take in total. Above its limit all of them are cleared, which needs no
 * accounting per entry: entries that clients still request come back. A cache that has been garbage collected is
 * counted until then.
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
