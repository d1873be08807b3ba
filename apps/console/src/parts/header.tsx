import type { ConsoleInfo } from '../api/console.js';
import { listRoute } from '../navigation.js';
import { preferences, setPreference, THEMES } from '../preferences.js';
import { formatRoute } from '../route.js';
import type { Route } from '../route.js';
import { useStore } from '../store.js';
import { words } from '../words.js';
import { AutoThemeIcon, DarkThemeIcon, HelpIcon, LightThemeIcon } from './icons.js';
import { Account } from './sign-in.js';
import { Text } from './text.js';

interface HeaderProps {
  readonly route: Route;
  readonly info: ConsoleInfo | undefined;
}

export function Header({ route, info }: HeaderProps) {
  const name = info?.registry.displayName ?? info?.registry.name ?? words.appName;
  const isAt = (...pages: Route['page'][]) => (pages.includes(route.page) ? 'page' : undefined);
  return (
    <header class="top">
      <div class="top-row">
        <a class="brand" href={formatRoute(listRoute())} title={name}>
          <Logo />
          <span>
            <Text limit={80}>{name}</Text>
          </span>
        </a>
        <nav aria-label={words.navigation}>
          <a href={formatRoute(listRoute())} aria-current={isAt('servers', 'server')}>
            {words.servers}
          </a>
          <a href="#/sources" aria-current={isAt('sources', 'source')}>
            {words.sources}
          </a>
        </nav>
        <div class="tools">
          {info && <Account />}
          <ThemeSwitch />
          <a class="tool" href="#/help" aria-label={words.help} title={words.help} aria-current={isAt('help')}>
            <HelpIcon />
          </a>
        </div>
      </div>
    </header>
  );
}

function ThemeSwitch() {
  const { theme } = useStore(preferences);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
  const Icon = { auto: AutoThemeIcon, light: LightThemeIcon, dark: DarkThemeIcon }[theme];
  return (
    <button
      type="button"
      class="tool"
      aria-label={words.theme.label(theme)}
      title={words.theme.label(theme)}
      onClick={() => setPreference({ theme: next })}
    >
      <Icon />
    </button>
  );
}

const Logo = () => (
  <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="7" />
    <path d="M9 10.5h14M9 16h14M9 21.5h14" />
    <circle cx="12" cy="10.5" r="2.9" />
    <circle cx="20" cy="16" r="2.9" />
    <circle cx="14.5" cy="21.5" r="2.9" />
  </svg>
);
