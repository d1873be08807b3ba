import { EMPTY_LAYOUT, findServer, isGone, nameAt, placeNear, serverAt, toChange, withChanges } from './layout.js';
import type { Layout, ServerChange, ServerRows } from './layout.js';

/**
 * Merges the lists of several sources in the order of the spec (k-way merge). The first source that serves a name
 * supplies all its versions, and that name is ignored in later sources. A source that has only tombstones for a name
 * yields to a later source with a live version.
 */
export function mergeLayouts(sources: readonly Layout[]): Layout {
  return sources.reduce(mergedWith, EMPTY_LAYOUT);
}

/** Merges one more source, which has the lowest precedence so far. */
export function mergedWith(merged: Layout, source: Layout): Layout {
  return merged === EMPTY_LAYOUT ? source : withChanges(merged, takenFrom(source, merged));
}

/**
 * Merges again after some names have changed in some sources. The cost is proportional to the number of these names.
 */
export function remergeNames(merged: Layout, sources: readonly Layout[], names: readonly string[]): Layout {
  const ownerNow = (name: string) => ownerOf(sources.map((source) => findServer(source, name)));
  return withChanges(
    merged,
    names.map((name) => toChange(name, ownerNow(name))),
  );
}

function ownerOf(candidates: readonly (ServerRows | undefined)[]): ServerRows | undefined {
  const rivals = candidates.filter((rows) => rows !== undefined);
  return rivals.find((rows) => !isGone(rows)) ?? rivals[0];
}

/** Returns the servers of a source that no earlier source has, or of which earlier sources have only tombstones. */
function takenFrom(source: Layout, merged: Layout): ServerChange[] {
  let at = 0;
  return serversOf(source).filter(({ name, rows }) => {
    at = placeNear(merged, name, at);
    if (at === merged.rowOf.length || nameAt(merged, at) !== name) return true;
    return isGone(serverAt(merged, at)) && !isGone(rows);
  });
}

function serversOf(layout: Layout): { name: string; rows: ServerRows }[] {
  const servers: { name: string; rows: ServerRows }[] = [];
  for (let at = 0; at < layout.rowOf.length;) {
    const rows = serverAt(layout, at);
    servers.push({ name: nameAt(layout, at), rows });
    at += rows.count;
  }
  return servers;
}
