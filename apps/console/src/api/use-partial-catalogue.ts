import { useMayReadState } from '../session/use-may-read-state.js';
import { useStore } from '../store.js';
import { connection } from './connection.js';
import { SOURCES_PATH, sourcesPeriod } from './sources.js';
import type { SourceList } from './sources.js';
import { useResource } from './use-resource.js';

/** A catalogue that is unavailable as a whole, because some of its sources have never been synced. */
export interface PartialCatalogue {
  /** Names of the sources that can be read, each at its own path. */
  readonly synced: readonly string[];
  readonly missing: readonly string[];
}

/**
 * Returns the readable part of the catalogue while the whole is unavailable; undefined if it is available or if nothing
 * is known about its sources.
 */
export function usePartialCatalogue(): PartialCatalogue | undefined {
  const { isPartial = false } = useStore(connection);
  const mayRead = useMayReadState();
  const { data } = useResource<SourceList>(isPartial && mayRead ? SOURCES_PATH : undefined, {
    everyMs: (known) => sourcesPeriod(known?.sources ?? []),
  });
  if (!isPartial || !data) return undefined;
  const namesOf = (isSynced: boolean) =>
    data.sources
      .filter(({ syncStatus }) => (syncStatus.lastSyncTime !== undefined) === isSynced)
      .map(({ name }) => name);
  const [synced, missing] = [namesOf(true), namesOf(false)];
  return synced.length > 0 && missing.length > 0 ? { synced, missing } : undefined;
}
