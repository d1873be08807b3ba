import { isUnreachable } from '../api/sources.js';
import type { Source } from '../api/sources.js';
import { words } from '../words.js';
import { CompleteIcon, FailedIcon, SyncingIcon, WaitingIcon } from './icons.js';

/** The phase of a source: a symbol and a word. */
export function PhaseMark({ status }: { readonly status: Source['syncStatus'] }) {
  const { phase, attemptCount } = status;
  if (phase === undefined) {
    return (
      <span class="phase waiting">
        <WaitingIcon /> {words.sync.never}
      </span>
    );
  }
  if (isUnreachable(status)) {
    return (
      <span class="phase unreachable">
        <WaitingIcon /> {words.sync.unreachable}
      </span>
    );
  }
  const Icon = { complete: CompleteIcon, syncing: SyncingIcon, failed: FailedIcon }[phase];
  return (
    <span class={`phase ${phase}`}>
      <Icon /> {phase === 'failed' ? words.sync.failedTimes(attemptCount) : words.sync.phases[phase]}
    </span>
  );
}
