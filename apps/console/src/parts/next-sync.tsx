import type { Source } from '../api/sources.js';
import { useServerNow } from '../clock.js';
import { formats } from '../format.js';
import { words } from '../words.js';
import { Countdown } from './time.js';

/** Shows when a source will be synced next, or how long the current sync has been running. */
export function NextSync({ status }: { readonly status: Source['syncStatus'] }) {
  const { phase, nextSyncTime, lastAttempt } = status;
  if (phase === 'syncing') return lastAttempt === undefined ? null : <Running since={lastAttempt} />;
  if (nextSyncTime === undefined) return <span class="muted">{words.sync.onChange}</span>;
  return (
    <Countdown iso={nextSyncTime}>
      {(left) =>
        left === undefined ? words.sync.due : phase === 'failed' ? words.sync.retryIn(left) : words.sync.next(left)
      }
    </Countdown>
  );
}

function Running({ since }: { readonly since: string }) {
  const now = useServerNow(1000);
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
  return <span class="countdown">{words.sync.runningFor(formats.duration(seconds * 1000))}</span>;
}
