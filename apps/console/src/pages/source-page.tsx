import { isUnreachable, runsPath, sourcePath, sourcesPeriod } from '../api/sources.js';
import type { RunList, Source } from '../api/sources.js';
import { useResource } from '../api/use-resource.js';
import { EntryBar } from '../parts/entry-bar.js';
import { Fault, SignInNeeded } from '../parts/fault.js';
import { BackIcon } from '../parts/icons.js';
import { NextSync } from '../parts/next-sync.js';
import { Loading, Notice } from '../parts/notice.js';
import { PhaseMark } from '../parts/phase.js';
import { Quarantine } from '../parts/quarantine.js';
import { Runs } from '../parts/runs.js';
import { useMayReadState } from '../session/use-may-read-state.js';
import { SourceFacts } from '../parts/source-facts.js';
import { SyncButton } from '../parts/sync-button.js';
import { ShortText, Text } from '../parts/text.js';
import { useSyncResults } from '../parts/use-sync-results.js';
import { EVERYTHING, formatRoute } from '../route.js';
import { words } from '../words.js';

/** Shows one source: its state, its runs, and its entries that cannot be served. */
export function SourcePage({ name }: { readonly name: string }) {
  const mayRead = useMayReadState();
  const { data, fault, refresh } = useResource<Source>(mayRead ? sourcePath(name) : undefined, {
    everyMs: (known) => sourcesPeriod(known ? [known] : []),
  });
  return (
    <div class="page source">
      <a class="back" href="#/sources">
        <BackIcon /> {words.sources}
      </a>
      <div class="page-head">
        <h1 tabIndex={-1}>
          <ShortText limit={63}>{name}</ShortText>
        </h1>
        {data && <State source={data} onStarted={refresh} />}
      </div>
      {!mayRead ? (
        <SignInNeeded />
      ) : data ? (
        <Details source={data} />
      ) : fault?.status === 404 ? (
        <Notice title={words.sync.missing}>
          <p>
            <Text limit={300}>{words.sync.missingHint(name)}</Text>
          </p>
        </Notice>
      ) : fault ? (
        <Fault fault={fault} onRetry={refresh} />
      ) : (
        <Loading />
      )}
    </div>
  );
}

function State({ source, onStarted }: { readonly source: Source; readonly onStarted: () => void }) {
  const { name, syncStatus } = source;
  return (
    <>
      <p class="state">
        <PhaseMark status={syncStatus} /> <NextSync status={syncStatus} />
      </p>
      <SyncButton
        path={`${sourcePath(name)}/sync`}
        label={words.sync.now}
        isSyncing={syncStatus.phase === 'syncing'}
        onStarted={onStarted}
      />
    </>
  );
}

function Details({ source }: { readonly source: Source }) {
  const { name, syncStatus } = source;
  const isFailing = syncStatus.phase === 'failed' && !isUnreachable(syncStatus);
  useSyncResults([source]);
  const runs = useResource<RunList>(runsPath(name), { everyMs: () => sourcesPeriod([source]) });
  const showServers = formatRoute({ page: 'servers', search: { ...EVERYTHING, chosen: { source: [name] } } });
  return (
    <>
      {syncStatus.message !== undefined && (
        <div class={isFailing ? 'hint bad' : 'hint warn'}>
          <strong>{titleOf(syncStatus)}</strong>
          <p>
            <Text limit={4000}>{syncStatus.message}</Text>
          </p>
        </div>
      )}
      <div class="columns">
        <div class="content">
          <Runs list={runs.data} />
          {syncStatus.quarantinedCount > 0 && <Quarantine name={name} count={syncStatus.quarantinedCount} />}
        </div>
        <aside class="side">
          <section class="panel">
            <EntryBar status={syncStatus} />
            <SourceFacts source={source} />
            <a href={showServers}>{words.sync.showServers}</a>
          </section>
        </aside>
      </div>
    </>
  );
}

function titleOf(status: Source['syncStatus']): string {
  if (isUnreachable(status)) return words.sync.unreachableTitle;
  return status.phase === 'failed' ? words.sync.lastFailure : words.sync.notice;
}
