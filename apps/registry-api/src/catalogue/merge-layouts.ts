import { EMPTY_LAYOUT, findServer, isGone, nameAt, placeNear, serverAt, toChange, withChanges } from './layout.js';
import type { Layout, ServerChange, ServerRows } from './layout.js';

/**
 * Several sources as one, in the order of the spec: the first that serves a name has it whole, with all its versions; a
 * later source's versions of that name do not exist. A name of which only tombstones are left yields to a live one.
 */
export function mergeLayouts(sources: readonly Layout[]): Layout {
  return sources.reduce(mergedWith, EMPTY_LAYOUT);
}

/** With one more source, behind all that are merged already. */
export function mergedWith(merged: Layout, source: Layout): Layout {
  return merged === EMPTY_LAYOUT ? source : withChanges(merged, takenFrom(source, merged));
}

/** The same after some names have changed in some sources, at the cost of those names. */
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

/** What a source has that no source before it has, or has tombstones of only. */
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
