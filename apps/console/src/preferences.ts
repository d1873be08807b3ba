import { createStore } from './store.js';

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** All that the page keeps in `localStorage`. Nothing of it is a secret or says what was looked at. */
export interface Preferences {
  readonly theme: Theme;
  /** Whether single keys are shortcuts (WCAG 2.1.4). */
  readonly hasShortcuts: boolean;
  /** The client whose install instructions were shown last. */
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
    // A browser that keeps nothing still shows the choice until the page is left.
  }
}

/** Puts the theme on the document now and after each change. */
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
