import { useEffect, useRef } from 'preact/hooks';
import { CatalogueWatch } from './catalogue-watch.js';
import { consoleInfo } from './api/console.js';
import { route } from './navigation.js';
import { formatRoute } from './route.js';
import type { Route } from './route.js';
import { HelpPage } from './pages/help-page.js';
import { MissingPage } from './pages/missing-page.js';
import { ServerPage } from './pages/server-page.js';
import { ServersPage } from './pages/servers-page.js';
import { SourcePage } from './pages/source-page.js';
import { SourcesPage } from './pages/sources-page.js';
import { ConnectionBars } from './parts/connection-bars.js';
import { Header } from './parts/header.js';
import { LiveRegion } from './parts/live-region.js';
import { useStore } from './store.js';
import { words } from './words.js';

export function App() {
  const current = useStore(route);
  const info = useStore(consoleInfo);
  const main = useRef<HTMLElement>(null);
  useTitle(current, info?.registry.displayName ?? info?.registry.name ?? words.appName);
  useFocus(current, main);
  return (
    <>
      <button class="skip" type="button" onClick={() => main.current?.focus()}>
        {words.skipToContent}
      </button>
      <Header route={current} info={info} />
      <ConnectionBars />
      <main ref={main} tabIndex={-1}>
        {info && <Page route={current} />}
      </main>
      {info && <CatalogueWatch />}
      <LiveRegion />
    </>
  );
}

function Page({ route }: { readonly route: Route }) {
  switch (route.page) {
    case 'servers':
      return <ServersPage search={route.search} />;
    case 'server':
      return <ServerPage key={route.name} name={route.name} version={route.version} />;
    case 'sources':
      return <SourcesPage />;
    case 'source':
      return <SourcePage key={route.name} name={route.name} />;
    case 'help':
      return <HelpPage />;
    default:
      return <MissingPage />;
  }
}

function useTitle(current: Route, registry: string): void {
  const page =
    'name' in current
      ? current.name
      : { servers: words.servers, sources: words.sources, help: words.help, missing: words.missingPage }[current.page];
  useEffect(() => {
    document.title = `${page} – ${registry}`;
  }, [page, registry]);
}

/**
 * Moves the focus after a page change: to the row that led to the previous page, or else to the heading of the new
 * page.
 */
function useFocus(current: Route, main: { readonly current: HTMLElement | null }): void {
  const before = useRef(current);
  useEffect(() => {
    const left = before.current;
    before.current = current;
    if (left === current || identity(left) === identity(current)) return;
    const row = [...(main.current?.querySelectorAll<HTMLElement>('[data-row]') ?? [])].find(
      (one) => one.getAttribute('href') === formatRoute(left),
    );
    (row ?? main.current?.querySelector<HTMLElement>('h1'))?.focus({ preventScroll: true });
  }, [current]);
}

const identity = (current: Route): string => `${current.page} ${'name' in current ? current.name : ''}`;
