import type { VisibleEntry } from './visible-entry.js';

/** Collects the errors of entries by name, so that an error in one entry does not keep others out of a file. */
export class EntryFaults {
  readonly #byName = new Map<string, unknown>();

  /** Returns the result of `render` for an entry. If it throws, records the error and returns undefined. */
  guard<T>({ server }: VisibleEntry, render: () => T): T | undefined {
    try {
      return render();
    } catch (error) {
      this.#byName.set(server.name, error);
      return undefined;
    }
  }

  get all(): readonly unknown[] {
    return [...this.#byName.values()];
  }
}
