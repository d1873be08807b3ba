import type { Notes } from './inputs.js';
import { Omitted } from './omission.js';

interface Made<T> {
  readonly value?: T;
  readonly omitted?: Omitted;
  readonly notes: Notes;
}

/**
 * Memoizes what `make` produces for a package or remote: the value with its notes, or the `Omitted` that it throws. The
 * memory is released together with the package or remote.
 */
export function memoizeWay<Key extends object, T>(make: (key: Key, notes: Notes) => T): (key: Key, notes: Notes) => T {
  const known = new WeakMap<Key, Made<T>>();
  return (key, notes) => {
    let made = known.get(key);
    if (!made) known.set(key, (made = attempt(key, make)));
    for (const note of made.notes) notes.add(note);
    if (made.omitted) throw made.omitted;
    return made.value as T;
  };
}

function attempt<Key, T>(key: Key, make: (key: Key, notes: Notes) => T): Made<T> {
  const notes: Notes = new Set();
  try {
    return { value: make(key, notes), notes };
  } catch (error) {
    if (!(error instanceof Omitted)) throw error;
    return { omitted: error, notes };
  }
}
