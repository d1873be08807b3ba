import { shortened } from '#domain/shortened.js';

/** Maximum number of characters of a key, name or version that are stored. */
export const SHOWN_LIMIT = 255;

/** Returns a string that can be stored and displayed: without control characters and lone surrogates, and truncated. */
export function shown(given: string): string {
  return storable(shortened(given, SHOWN_LIMIT));
}

export function storable(text: string): string {
  return text.toWellFormed().replace(/\p{Cc}/gu, '\uFFFD');
}
