import { useMayReadState } from '../session/use-may-read-state.js';
import { useStore } from '../store.js';
import { connection } from './connection.js';
import { SOURCES_PATH, sourcesPeriod } from './sources.js';
import type { SourceList } from './sources.js';
import { useResource } from './use-resource.js';

/** A catalogue that is not available as a whole, because some of its sources were never synced. */
export interface PartialCatalogue {
  /** Names of the sources that can be read, each at its own path. */
  readonly synced: readonly string[];
  readonly missing: readonly string[];
}

/** Returns what can be read of the catalogue while it is not whole; undefined while it is, or where nothing is known of its sources. */
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
