import { useEffect, useRef, useState } from 'preact/hooks';
import type { SyncRun } from '../api/sources.js';
import { formats } from '../format.js';
import { preferences } from '../preferences.js';
import { OUTCOMES, outcomeOf, summarizeRuns } from '../runs.js';
import type { RunsPlot } from '../plot/runs-plot.js';
import { useStore } from '../store.js';
import { words } from '../words.js';

const CHANGES = ['added', 'updated', 'removed'] as const;

/** A chart of the newest runs. The plotting library is loaded with the first chart. A table shows the same data. */
export function RunsChart({ runs }: { readonly runs: readonly SyncRun[] }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<RunsPlot | undefined>(undefined);
  const latest = useRef(runs);
  latest.current = runs;
  const [at, setAt] = useState<number>();
  const { theme } = useStore(preferences);
  useEffect(() => {
    let isGone = false;
    void import('../plot/runs-plot.js').then(({ RunsPlot }) => {
      if (isGone || !place.current) return;
      plot.current = new RunsPlot(place.current, latest.current, setAt);
    });
    return () => {
      isGone = true;
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [theme]);
  useEffect(() => plot.current?.show(runs), [runs]);
  const summary = summarizeRuns(runs);
  const pointed = at === undefined ? undefined : runs.toReversed()[at];
  return (
    <figure class="chart">
      <div
        ref={place}
        class="plots"
        role="img"
        aria-label={words.runs.summary(summary, formats.duration(summary.medianMs))}
      />
      <figcaption aria-hidden="true">
        {pointed ? describe(pointed) : <Legend runs={runs} hasUnreachable={summary.unreachable > 0} />}
      </figcaption>
    </figure>
  );
}

interface LegendProps {
  readonly runs: readonly SyncRun[];
  readonly hasUnreachable: boolean;
}

/** The legend of both plots. Colours that appear in neither plot are omitted. */
function Legend({ runs, hasUnreachable }: LegendProps) {
  const changes = CHANGES.filter((change) => runs.some(({ counts }) => (counts?.[change] ?? 0) > 0));
  return (
    <>
      <span class="legend">
        {OUTCOMES.filter((outcome) => outcome !== 'unreachable' || hasUnreachable).map((outcome) => (
          <span key={outcome} class={`outcome ${outcome}`}>
            {words.runs.outcomes[outcome]}
          </span>
        ))}
      </span>
      <span class="legend">
        {changes.map((change) => (
          <span key={change} class={`outcome ${change}`}>
            {words.runs.changeKinds[change]}
          </span>
        ))}
      </span>
    </>
  );
}

function describe(run: SyncRun): string {
  const { added = 0, updated = 0, removed = 0 } = run.counts ?? {};
  const changes = added + updated + removed === 0 ? [] : [`+${added} ~${updated} −${removed}`];
  return [
    formats.dateTime(Date.parse(run.startedAt)),
    words.runs.outcomes[outcomeOf(run)],
    formats.duration(run.durationMs),
    ...changes,
  ].join(' · ');
}
