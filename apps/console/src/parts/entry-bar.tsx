import type { Source } from '../api/sources.js';
import { words } from '../words.js';

const WIDTH = 120;

/** Shows how many entries of a source are served, hidden and quarantined, as numbers and as one stacked bar. */
export function EntryBar({ status }: { readonly status: Source['syncStatus'] }) {
  const parts = [
    ['served', status.serverCount],
    ['hidden', status.hiddenCount],
    ['quarantined', status.quarantinedCount],
  ] as const;
  const total = parts.reduce((sum, [, n]) => sum + n, 0);
  return (
    <span class="entry-bar">
      <svg viewBox={`0 0 ${WIDTH} 6`} preserveAspectRatio="none" aria-hidden="true">
        <rect class="none" width={WIDTH} height="6" />
        {total > 0 && segments(parts, total)}
      </svg>
      <span class="entry-counts">
        {parts.map(
          ([kind, n]) =>
            (n > 0 || kind === 'served') && (
              <span key={kind} class={`count-of ${kind}`}>
                {words.sync[kind](n)}
              </span>
            ),
        )}
      </span>
    </span>
  );
}

function segments(parts: readonly (readonly [string, number])[], total: number) {
  let x = 0;
  return parts.map(([kind, n]) => {
    const width = (n / total) * WIDTH;
    const rect = <rect key={kind} class={kind} x={x} width={width} height="6" />;
    x += width;
    return rect;
  });
}
