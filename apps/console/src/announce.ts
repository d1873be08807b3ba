import { createStore } from './store.js';

/** The text of the polite live region. */
export const announcement = createStore('');

const SPACING_MS = 2_000;
let lastAt = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Tells screen readers something, at most once in two seconds; of several texts the newest one is told. */
export function announce(text: string): void {
  clearTimeout(timer);
  const wait = Math.max(0, lastAt + SPACING_MS - Date.now());
  timer = setTimeout(() => {
    lastAt = Date.now();
    // An equal text would not be read again.
    announcement.set(announcement.get() === text ? `${text}\u00A0` : text);
  }, wait);
}
