import { createStore } from './store.js';

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/**
 * The settings in `localStorage`, where the page stores nothing else. None of them is secret or tells what the user has
 * viewed.
 */
export interface Preferences {
  readonly theme: Theme;
  /** Whether single-key shortcuts are enabled (WCAG 2.1.4). */
  readonly hasShortcuts: boolean;
  /** The client with the most recently shown install instructions. */
  readonly client?: string;
}

const KEY = 'mcp-registry-console';
const DEFAULTS: Preferences = { theme: 'auto', hasShortcuts: true };

export const preferences = createStore<Preferences>(read());

export function setPreference(change: Partial<Preferences>): void {
  const next = { ...preferences.get(), ...change };
  preferences.set(next);
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // If the browser does not allow storage, the choice still applies until the page is closed.
  }
}

/** Applies the theme to the document, now and after each change. */
export function applyTheme(): void {
  const apply = () => {
    document.documentElement.dataset['theme'] = preferences.get().theme;
  };
  apply();
  preferences.subscribe(apply);
}

function read(): Preferences {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Record<keyof Preferences, unknown>>;
    const theme = THEMES.find((one) => one === kept.theme) ?? DEFAULTS.theme;
    const hasShortcuts = kept.hasShortcuts !== false;
    return { theme, hasShortcuts, ...(typeof kept.client === 'string' && { client: kept.client }) };
  } catch {
    return DEFAULTS;
  }
}
