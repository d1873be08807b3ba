import { shortened } from '#domain/shortened.js';

/** Characters of a key, name or version that are stored. */
export const SHOWN_LIMIT = 255;

/** Returns a text that can be stored and read: no control characters, no half characters, not too long. */
export function shown(given: string): string {
  return storable(shortened(given, SHOWN_LIMIT));
}

export function storable(text: string): string {
  return text.toWellFormed().replace(/\p{Cc}/gu, '\uFFFD');
}
