import { consoleInfo } from '../api/console.js';
import { isUnreachable, SOURCES_PATH, sourcesPeriod } from '../api/sources.js';
import type { Source, SourceList } from '../api/sources.js';
import { useResource } from '../api/use-resource.js';
import { formats } from '../format.js';
import { EntryBar } from '../parts/entry-bar.js';
import { Fault, SignInNeeded } from '../parts/fault.js';
import { NextSync } from '../parts/next-sync.js';
import { Loading, Notice } from '../parts/notice.js';
import { PhaseMark } from '../parts/phase.js';
import { useMayReadState } from '../session/use-may-read-state.js';
import { SyncButton } from '../parts/sync-button.js';
import { ShortText } from '../parts/text.js';
import { useSyncResults } from '../parts/use-sync-results.js';
import { formatRoute } from '../route.js';
import { useStore } from '../store.js';
import { words } from '../words.js';

const NONE: readonly Source[] = [];

/** Lists all sources and the state of their syncs, one line each, the most important first. */
export function SourcesPage() {
  const mayRead = useMayReadState();
  const registry = useStore(consoleInfo)?.registry.name ?? '';
  const { data, fault, refresh } = useResource<SourceList>(mayRead ? SOURCES_PATH : undefined, {
    everyMs: (known) => sourcesPeriod(known?.sources ?? NONE),
  });
  const sources = data?.sources ?? NONE;
  useSyncResults(sources);
  const isSyncing = sources.length > 0 && sources.every(({ syncStatus }) => syncStatus.phase === 'syncing');
  return (
    <div class="page sources">
      <div class="page-head">
        <h1 tabIndex={-1}>{words.sources}</h1>
        {data && <p class="summary">{summaryOf(sources)}</p>}
        {data && (
          <SyncButton
            path={`v1/registries/${encodeURIComponent(registry)}/sync`}
            label={words.sync.allNow}
            isSyncing={isSyncing}
            onStarted={refresh}
          />
        )}
      </div>
      {!mayRead ? (
        <SignInNeeded />
      ) : data ? (
        <Lines sources={sources} />
      ) : fault ? (
        <Fault fault={fault} onRetry={refresh} />
      ) : (
        <Loading />
      )}
    </div>
  );
}

function Lines({ sources }: { readonly sources: readonly Source[] }) {
  if (sources.length === 0) return <Notice title={words.sync.noSources} />;
  return (
    <ul class="source-lines">
      {sources.map((source) => (
        <li key={source.name}>
          <Line source={source} />
        </li>
      ))}
    </ul>
  );
}

function Line({ source }: { readonly source: Source }) {
  const { name, sourceType, syncStatus } = source;
  const isFailing = syncStatus.phase === 'failed' && !isUnreachable(syncStatus);
  return (
    <a class="source-line" data-row href={formatRoute({ page: 'source', name })}>
      <span class="source-name">
        <strong>
          <ShortText limit={63}>{name}</ShortText>
        </strong>{' '}
        <span class="muted">
          <ShortText limit={40}>{words.sync.kinds[sourceType] ?? sourceType}</ShortText>
        </span>
      </span>
      <PhaseMark status={syncStatus} />
      <NextSync status={syncStatus} />
      <EntryBar status={syncStatus} />
      {syncStatus.message !== undefined && (
        <span class={isFailing ? 'source-message bad' : 'source-message muted'}>
          <ShortText limit={240}>{syncStatus.message}</ShortText>
        </span>
      )}
    </a>
  );
}

/** Returns a summary such as `3 healthy, 1 failing · 412 served`. */
function summaryOf(sources: readonly Source[]): string {
  const countPhase = (phase: string | undefined) =>
    sources.filter(({ syncStatus }) => syncStatus.phase === phase).length;
  const unreachable = sources.filter(({ syncStatus }) => isUnreachable(syncStatus)).length;
  const [healthy, failing, syncing, waiting] = [
    countPhase('complete'),
    countPhase('failed') - unreachable,
    countPhase('syncing'),
    countPhase(undefined),
  ];
  const sum = (field: 'serverCount' | 'hiddenCount' | 'quarantinedCount') =>
    sources.reduce((total, { syncStatus }) => total + syncStatus[field], 0);
  const states = [
    healthy > 0 ? words.sync.healthyCount(healthy) : '',
    failing > 0 ? words.sync.failingCount(failing) : '',
    unreachable > 0 ? words.sync.unreachableCount(unreachable) : '',
    syncing > 0 ? words.sync.syncingCount(syncing) : '',
    waiting > 0 ? words.sync.waitingCount(waiting) : '',
  ].filter((text) => text !== '');
  const entries = [
    words.sync.served(sum('serverCount')),
    sum('hiddenCount') > 0 ? words.sync.hidden(sum('hiddenCount')) : '',
    sum('quarantinedCount') > 0 ? words.sync.quarantined(sum('quarantinedCount')) : '',
  ].filter((text) => text !== '');
  return [formats.list(states), ...entries].filter((text) => text !== '').join(' · ');
}
