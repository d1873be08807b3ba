import { createStore } from './store.js';

/** Content of the ARIA live region, which is a polite one. */
export const announcement = createStore('');

const SPACING_MS = 2_000;
let lastAt = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

/**
 * Announces a string to screen readers, at most once in two seconds. If there are several, only the newest is
 * announced.
 */
export function announce(text: string): void {
  clearTimeout(timer);
  const wait = Math.max(0, lastAt + SPACING_MS - Date.now());
  timer = setTimeout(() => {
    lastAt = Date.now();
    // Screen readers do not read an identical string again, so a no-break space is appended.
    announcement.set(announcement.get() === text ? `${text}\u00A0` : text);
  }, wait);
}
