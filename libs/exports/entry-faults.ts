import type { VisibleEntry } from './visible-entry.js';

/** Maximum number of errors that are kept. Every entry of a hostile source may cause one. */
const MAX_FAULTS = 1000;

/**
 * Collects the errors of entries by name, up to a limit, so that an error in one entry does not keep others out of a
 * file.
 */
export class EntryFaults {
  readonly #byName = new Map<string, unknown>();

  /** Returns the result of `render` for an entry. If it throws, records the error and returns undefined. */
  guard<T>({ server }: VisibleEntry, render: () => T): T | undefined {
    try {
      return render();
    } catch (error) {
      if (this.#byName.size < MAX_FAULTS) this.#byName.set(server.name, error);
      return undefined;
    }
  }

  get all(): readonly unknown[] {
    return [...this.#byName.values()];
  }
}
