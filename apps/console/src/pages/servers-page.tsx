import { useEffect, useState } from 'preact/hooks';
import { ServerList } from '../api/server-list.js';
import type { ServerListState } from '../api/server-list.js';
import { facetsPath } from '../api/servers.js';
import type { Facets, Scope } from '../api/servers.js';
import { usePartialCatalogue } from '../api/use-partial-catalogue.js';
import { useResource } from '../api/use-resource.js';
import { announce } from '../announce.js';
import { catalogueChanges } from '../catalogue-watch.js';
import { navigate, route } from '../navigation.js';
import { Fault } from '../parts/fault.js';
import { Filters } from '../parts/filters.js';
import { Loading } from '../parts/notice.js';
import { PartialBar } from '../parts/partial-bar.js';
import { NothingFound } from '../parts/nothing-found.js';
import { SearchBox } from '../parts/search-box.js';
import { ServerRows } from '../parts/server-rows.js';
import { choose } from '../route.js';
import type { Search } from '../route.js';
import { session } from '../session/session.js';
import { useStore } from '../store.js';
import { words } from '../words.js';

const list = new ServerList();
session.subscribe(() => list.reset());

/** Lists all servers that match a text and filters, which are in the URL. */
export function ServersPage({ search }: { readonly search: Search }) {
  const state = useStore(list.state);
  const caller = useStore(session);
  const partial = usePartialCatalogue();
  const scope = partial && (partial.synced.find((name) => search.chosen.source?.includes(name)) ?? partial.synced[0]);
  useEffect(() => list.show(search, scope), [search, scope, caller?.token]);
  const facets = useFacets(search, scope);
  useChanges(facets.refresh);
  const { rows, total, isLoading } = state;
  // Keep showing the rows during a temporary failure.
  const fault = total === undefined || state.fault?.isPassing === false ? state.fault : undefined;
  useEffect(() => {
    if (total !== undefined && !isLoading) announce(words.list.found(total));
  }, [total, isLoading]);
  const open = useOpening(state);
  const show = (next: Search, how?: 'push' | 'replace') => {
    // When the user leaves the page, its search field submits the text once more. That text is ignored.
    if (route.get().page !== 'servers') return;
    open.forget(next.text);
    navigate({ page: 'servers', search: next }, how);
  };
  return (
    <div class="page servers">
      <h1 class="visually-hidden" tabIndex={-1}>
        {words.servers}
      </h1>
      <SearchBox search={search} total={total} isLoading={isLoading} onSearch={show} onOpen={open.first} />
      {!fault && <Filters search={search} facets={facets.data} onSearch={show} />}
      <section class="results" aria-label={words.servers}>
        {partial && scope !== undefined && (
          <PartialBar partial={partial} shown={scope} onChoose={(name) => show(choose(search, 'source', [name]))} />
        )}
        {fault ? (
          <Fault fault={fault} onRetry={() => list.show(search, scope)} />
        ) : total === undefined ? (
          <Loading />
        ) : rows.length === 0 ? (
          <NothingFound search={search} onSearch={show} />
        ) : (
          <ServerRows rows={rows} total={total} hasMore={state.cursor !== undefined} onMore={() => list.loadMore()} />
        )}
      </section>
    </div>
  );
}

/** Opens the first server that a search finds, once the response to that search has arrived. */
function useOpening({ search, rows, isLoading }: ServerListState) {
  const [text, setText] = useState<string>();
  useEffect(() => {
    if (text === undefined || isLoading || search.text !== text) return;
    setText(undefined);
    const [row] = rows;
    if (row) navigate({ page: 'server', name: row.name });
  }, [text, search, rows, isLoading]);
  return {
    first: setText,
    /** Cancels the opening if the search has changed to another text. */
    forget: (other: string) => setText((wanted) => (wanted === other ? wanted : undefined)),
  };
}

/** Fetches the counts of the filters, debounced until the search has not changed for a moment. */
function useFacets(search: Search, scope: Scope) {
  const [rested, setRested] = useState(search);
  useEffect(() => {
    const timer = setTimeout(() => setRested(search), 150);
    return () => clearTimeout(timer);
  }, [search]);
  return useResource<Facets>(facetsPath(rested, scope), { keepsOlder: true });
}

/** Reloads the list and the counts in place when the catalogue has changed. */
function useChanges(refreshFacets: () => void): void {
  const changes = useStore(catalogueChanges);
  useEffect(() => {
    if (changes === 0) return;
    list.refresh();
    refreshFacets();
  }, [changes]);
}
