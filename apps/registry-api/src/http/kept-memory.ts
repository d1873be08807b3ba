/** A cache that can be emptied. */
interface Clearable {
  clear(): void;
}

/**
 * The memory that the caches of a process take together. Above its limit all of them are cleared: what clients go on asking
 * for comes back, and no entry has to be counted by itself. A cache that was collected meanwhile counts until then.
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
