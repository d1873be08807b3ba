import { EVERYTHING, formatRoute, parseRoute } from './route.js';
import type { Route, Search } from './route.js';
import { createStore } from './store.js';

export const route = createStore<Route>(parseRoute(location.hash));

/** The search to restore when the user returns to the list. */
let lastSearch: Search = EVERYTHING;

/** Scroll position of each URL fragment when it was left. */
const scrollPositions = new Map<string, number>();
const MAX_POSITIONS = 200;

/**
 * Navigates to a route. Adds an entry to the history, or replaces the newest one for minor changes such as a typed
 * letter.
 */
export function navigate(next: Route, how: 'push' | 'replace' = 'push'): void {
  const fragment = formatRoute(next);
  if (fragment === location.hash) return;
  rememberScroll();
  if (how === 'push') history.pushState(null, '', fragment);
  else history.replaceState(null, '', fragment);
  const staysOnList = route.get().page === 'servers' && next.page === 'servers';
  adopt(next);
  if (!staysOnList) scrollTo(0, 0);
}

export const listRoute = (): Route => ({ page: 'servers', search: lastSearch });

/** Follows links within the page, the back button, and edits of the URL. */
export function followAddress(): void {
  history.scrollRestoration = 'manual';
  // A sign-in that has just finished has restored the fragment from before.
  adopt(parseRoute(location.hash));
  document.addEventListener('click', followLink);
  addEventListener('popstate', () => {
    adopt(parseRoute(location.hash));
    const position = scrollPositions.get(location.hash) ?? 0;
    // Wait until the page has been rendered.
    requestAnimationFrame(() => requestAnimationFrame(() => scrollTo(0, position)));
  });
}

/** Handles clicks on links within the page that the browser would open in the same tab. */
function followLink(event: MouseEvent): void {
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  const fragment = link?.getAttribute('href');
  if (!isPlain || event.defaultPrevented || !fragment?.startsWith('#/') || link?.target) return;
  event.preventDefault();
  navigate(parseRoute(fragment));
}

function rememberScroll(): void {
  scrollPositions.delete(location.hash);
  scrollPositions.set(location.hash, scrollY);
  const [oldest] = scrollPositions.keys();
  if (scrollPositions.size > MAX_POSITIONS && oldest !== undefined) scrollPositions.delete(oldest);
}

function adopt(next: Route): void {
  if (next.page === 'servers') lastSearch = next.search;
  route.set(next);
}
