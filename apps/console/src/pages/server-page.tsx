import { useEffect, useState } from 'preact/hooks';
import { consoleInfo, hasFeature } from '../api/console.js';
import { officialMeta, publisherNotes } from '../api/server-document.js';
import type { ServerEntry } from '../api/server-document.js';
import { findIcon } from '../text/links.js';
import { versionsPath } from '../api/servers.js';
import type { Scope, ServerPage as Page } from '../api/servers.js';
import { usePartialCatalogue } from '../api/use-partial-catalogue.js';
import { useResource } from '../api/use-resource.js';
import { catalogueChanges } from '../catalogue-watch.js';
import { listRoute, navigate } from '../navigation.js';
import { Fault } from '../parts/fault.js';
import { BackIcon } from '../parts/icons.js';
import { InstallPanel } from '../parts/install-panel.js';
import { ServerIcon } from '../parts/letter-icon.js';
import { Loading } from '../parts/notice.js';
import { Origin } from '../parts/origin.js';
import { RawDocument } from '../parts/raw-document.js';
import { ServerFacts } from '../parts/server-facts.js';
import { useMayReadState } from '../session/use-may-read-state.js';
import { ShortText, Text } from '../parts/text.js';
import { Tools } from '../parts/tools.js';
import { Versions } from '../parts/versions.js';
import { Ways } from '../parts/ways.js';
import { formatRoute } from '../route.js';
import { useStore } from '../store.js';
import { words } from '../words.js';

interface ServerPageProps {
  readonly name: string;
  /** The version in the URL; undefined for the newest one. */
  readonly version: string | undefined;
}

/** Shows one server: how to use it, its versions, and its origin. */
export function ServerPage({ name, version }: ServerPageProps) {
  const partial = usePartialCatalogue();
  // While the catalogue is unavailable as a whole, its sources are queried one after the other.
  const [at, setAt] = useState(0);
  const scope = partial?.synced[at];
  const { data, fault, refresh } = useResource<Page>(versionsPath(name, scope));
  const isElsewhere = fault?.status === 404 && partial !== undefined && at + 1 < partial.synced.length;
  useEffect(() => {
    if (isElsewhere) setAt(at + 1);
  }, [isElsewhere, at]);
  const changes = useStore(catalogueChanges);
  useEffect(() => {
    if (changes > 0) refresh();
  }, [changes]);
  const entries = data?.servers ?? [];
  const isMissing = (fault?.status === 404 && !isElsewhere) || data?.servers.length === 0;
  const latest = entries.find((entry) => officialMeta(entry).isLatest) ?? entries[0];
  const shown = entries.find(({ server }) => server.version === version) ?? latest;
  return (
    <div class="page server">
      <a class="back" href={formatRoute(listRoute())}>
        <BackIcon /> {words.server.back}
      </a>
      <Heading name={name} isMissing={isMissing} entries={entries} shown={shown} latest={latest} />
      {isMissing ? (
        <NotServed name={name} />
      ) : shown && latest ? (
        <Server entries={entries} shown={shown} latest={latest} version={version} scope={scope} />
      ) : fault ? (
        <Fault fault={fault} onRetry={refresh} />
      ) : (
        <Loading />
      )}
    </div>
  );
}

interface ServerProps {
  /** Newest first, including removed ones; at least one. */
  readonly entries: readonly ServerEntry[];
  readonly shown: ServerEntry;
  readonly latest: ServerEntry;
  /** The version in the URL. */
  readonly version: string | undefined;
  readonly scope: Scope;
}

function Server({ entries, shown, latest, version, scope }: ServerProps) {
  const info = useStore(consoleInfo);
  const { server } = shown;
  const { status, statusMessage } = officialMeta(shown);
  const isInstallable = status !== 'deleted' && shown === latest;
  return (
    <>
      {version !== undefined && server.version !== version && (
        <p class="hint warn">
          <Text>{words.server.versionMissing(version)}</Text>
        </p>
      )}
      {status === 'deleted' && <p class="hint bad">{words.server.removed}</p>}
      {status !== 'deleted' && shown !== latest && (
        <p class="hint">
          {words.server.notLatest}{' '}
          <a href={formatRoute({ page: 'server', name: server.name })}>
            <ShortText limit={60}>{words.server.toLatest(latest.server.version)}</ShortText>
          </a>
        </p>
      )}
      {status === 'deprecated' && (
        <p class="hint warn">
          <Text>
            {statusMessage === undefined ? words.list.deprecated : words.list.deprecatedBecause(statusMessage)}
          </Text>
        </p>
      )}
      <div class="columns server-columns">
        <p class="lead">
          <Text>{server.description}</Text>
        </p>
        {info && hasFeature(info, 'exports') && isInstallable && <InstallPanel name={server.name} scope={scope} />}
        <div class="content">
          <Ways server={server} />
          <Tools tools={publisherNotes(server).tools} />
          <Origin name={server.name} />
          <Versions entries={entries} shown={shown} />
          <RawDocument server={server} />
        </div>
        <ServerFacts entry={shown} />
      </div>
    </>
  );
}

interface HeadingProps {
  readonly name: string;
  readonly isMissing: boolean;
  readonly entries: readonly ServerEntry[];
  /** Undefined until the server has responded. */
  readonly shown: ServerEntry | undefined;
  readonly latest: ServerEntry | undefined;
}

/** The heading stays the same element while the page loads, so that the focus is not lost. */
function Heading({ name, isMissing, entries, shown, latest }: HeadingProps) {
  const { title, icons = [] } = shown?.server ?? {};
  return (
    <header class="server-head">
      {!isMissing && <ServerIcon name={name} title={title} icon={findIcon(icons)} />}
      <div class="server-name">
        <h1 tabIndex={-1}>
          {isMissing ? (
            words.server.notServed
          ) : (
            <ShortText limit={120}>{title ?? name.slice(name.indexOf('/') + 1)}</ShortText>
          )}
        </h1>
        <p class="mono muted">
          <ShortText>{name}</ShortText>
        </p>
      </div>
      {shown && <VersionChoice entries={entries} shown={shown} latest={latest} />}
    </header>
  );
}

function VersionChoice({
  entries,
  shown,
  latest,
}: Pick<HeadingProps, 'entries' | 'latest'> & Pick<ServerProps, 'shown'>) {
  const { name } = shown.server;
  return (
    <label class="version-choice">
      <span>{words.server.version}</span>
      <select
        value={shown.server.version}
        onChange={(event) => navigate({ page: 'server', name, version: event.currentTarget.value })}
      >
        {entries.map((entry) => (
          <option key={entry.server.version} value={entry.server.version}>
            {optionText(entry, entry === latest)}
          </option>
        ))}
      </select>
      <span class="muted">{words.server.versions(entries.length)}</span>
    </label>
  );
}

function optionText(entry: ServerEntry, isLatest: boolean): string {
  const { status } = officialMeta(entry);
  const notes = [
    isLatest ? words.server.latest : '',
    status === 'deprecated' ? words.list.deprecated : '',
    status === 'deleted' ? words.list.removed : '',
  ];
  return [entry.server.version, ...notes.filter((note) => note !== '')].join(' · ');
}

function NotServed({ name }: { readonly name: string }) {
  const mayRead = useMayReadState();
  return (
    <>
      <p>
        <Text>{words.server.notServedHint(name)}</Text>
      </p>
      {mayRead && <Origin name={name} />}
    </>
  );
}
