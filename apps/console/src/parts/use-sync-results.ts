import { useEffect, useRef } from 'preact/hooks';
import { announce } from '../announce.js';
import type { Phase, Source } from '../api/sources.js';
import { words } from '../words.js';

/** Announces the result of each sync that was seen running. */
export function useSyncResults(sources: readonly Source[]): void {
  const before = useRef(new Map<string, Phase | undefined>());
  useEffect(() => {
    for (const { name, syncStatus } of sources) {
      const { phase } = syncStatus;
      if (before.current.get(name) === 'syncing' && phase !== 'syncing') {
        announce(phase === 'failed' ? words.sync.failed(name) : words.sync.finished(name));
      }
    }
    before.current = new Map(sources.map(({ name, syncStatus }) => [name, syncStatus.phase]));
  }, [sources]);
}
