import { useState } from 'preact/hooks';
import type { RunList, SyncRun } from '../api/sources.js';
import { formats } from '../format.js';
import { outcomeOf, summarizeRuns } from '../runs.js';
import { findLink } from '../text/links.js';
import { words } from '../words.js';
import { ExternalIcon } from './icons.js';
import { Loading } from './notice.js';
import { RunsChart } from './runs-chart.js';
import { ShortText, Text } from './text.js';

const text = words.runs;
/** Number of runs in the table before the user expands it. */
const SHORT = 20;

/** The latest runs of a source, as a plot and as a table. */
export function Runs({ list }: { readonly list: RunList | undefined }) {
  const [isWhole, setWhole] = useState(false);
  const runs = list?.runs ?? [];
  const summary = summarizeRuns(runs);
  return (
    <section>
      <h2>{text.title}</h2>
      {!list && <Loading />}
      {list && runs.length === 0 && <p class="muted">{text.none}</p>}
      {runs.length > 0 && (
        <>
          <p class="muted">{text.summary(summary, formats.duration(summary.medianMs))}</p>
          {runs.length > 1 && <RunsChart runs={runs} />}
          <RunsTable runs={isWhole ? runs : runs.slice(0, SHORT)} />
          {!isWhole && runs.length > SHORT && (
            <button type="button" onClick={() => setWhole(true)}>
              {text.showAll(runs.length)}
            </button>
          )}
        </>
      )}
    </section>
  );
}

function RunsTable({ runs }: { readonly runs: readonly SyncRun[] }) {
  return (
    <table class="runs">
      <caption class="visually-hidden">{text.newest(runs.length)}</caption>
      <thead>
        <tr>
          <th scope="col">{text.started}</th>
          <th scope="col">{text.trigger}</th>
          <th scope="col">{text.outcome}</th>
          <th scope="col" class="numeric">
            {text.duration}
          </th>
          <th scope="col">{text.changes}</th>
          <th scope="col">{text.revision}</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <Run key={run.workflowId} run={run} />
        ))}
      </tbody>
    </table>
  );
}

function Run({ run }: { readonly run: SyncRun }) {
  const { startedAt, trigger, durationMs, failure, warning } = run;
  const outcome = outcomeOf(run);
  const message = failure?.message ?? warning;
  return (
    <>
      <tr class={message === undefined ? undefined : 'with-message'}>
        <th scope="row">
          <time dateTime={startedAt} title={startedAt}>
            {formats.dateTime(Date.parse(startedAt))}
          </time>
        </th>
        <td data-label={text.trigger}>
          <ShortText limit={40}>{text.triggers[trigger] ?? trigger}</ShortText>
        </td>
        <td data-label={text.outcome}>
          <span class={`outcome ${outcome}`}>{text.outcomes[outcome]}</span>
          {outcome === 'failed' && failure && (
            <>
              {' '}
              <code>
                <ShortText limit={60}>{failure.reason}</ShortText>
              </code>
            </>
          )}
        </td>
        <td data-label={text.duration} class="numeric">
          {formats.duration(durationMs)}
        </td>
        <td data-label={text.changes}>
          <Changes run={run} />
        </td>
        <td data-label={text.revision}>
          <Revision run={run} />
        </td>
      </tr>
      {message !== undefined && (
        <tr class="message">
          <td colSpan={6} class={outcome === 'failed' ? 'bad' : 'muted'}>
            <Text limit={1000}>{message}</Text>
          </td>
        </tr>
      )}
    </>
  );
}

function Revision({ run: { revision, url } }: { readonly run: SyncRun }) {
  const link = findLink(url);
  return (
    <>
      {revision !== undefined && (
        <code title={revision}>
          <ShortText limit={8}>{revision}</ShortText>
        </code>
      )}{' '}
      {link && (
        <a
          href={link.href}
          target="_blank"
          rel="noopener noreferrer"
          class="external"
          aria-label={`${text.temporal} (${words.newWindow})`}
        >
          Temporal
          <ExternalIcon />
        </a>
      )}
    </>
  );
}

function Changes({ run }: { readonly run: SyncRun }) {
  const { added = 0, updated = 0, removed = 0 } = run.counts ?? {};
  const parts = [
    [`+${formats.number(added)}`, added, text.added],
    [`~${formats.number(updated)}`, updated, text.updated],
    [`−${formats.number(removed)}`, removed, text.removed],
  ] as const;
  if (added + updated + removed === 0) return <span class="muted">–</span>;
  return (
    <span class="changes">
      {parts.map(
        ([short, n, say]) =>
          n > 0 && (
            <span key={short} title={say(n)}>
              <span aria-hidden="true">{short}</span>
              <span class="visually-hidden">{say(n)} </span>
            </span>
          ),
      )}
    </span>
  );
}
