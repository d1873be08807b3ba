import type { ServerPackage, ServerRemote } from '#domain/server-document.js';
import type { EntryResult, WayResult } from './entry-result.js';
import type { ExportOptions } from './export-options.js';
import type { Notes } from './inputs.js';
import { isPinned } from './launch/portable.js';
import { Omitted } from './omission.js';
import type { VisibleEntry } from './visible-entry.js';

/** A launch option: one element of `packages` or `remotes`. */
export type Way =
  | { readonly kind: 'package'; readonly name: string; readonly pack: ServerPackage }
  | { readonly kind: 'remote'; readonly name: string; readonly remote: ServerRemote };

/** Returns the launch options of an entry: packages, then remotes, in document order. */
export function waysOf({ server }: VisibleEntry): Way[] {
  return [
    ...(server.packages ?? []).map((pack, index): Way => ({ kind: 'package', name: `packages[${index}]`, pack })),
    ...(server.remotes ?? []).map((remote, index): Way => ({ kind: 'remote', name: `remotes[${index}]`, remote })),
  ];
}

/** Throws `Omitted` for a launch option that the export parameters exclude. */
export function demandWanted(way: Way, { transports, pinned }: ExportOptions): void {
  if (transports && !transports.has(transportOf(way))) throw new Omitted('filtered-transport');
  if (way.kind === 'package' && pinned === 'only' && !isPinned(way.pack)) throw new Omitted('unpinned');
}

function transportOf(way: Way): 'stdio' | 'http' | 'sse' {
  const type = way.kind === 'package' ? way.pack.transport.type : way.remote.type;
  return type === 'streamable-http' ? 'http' : (type as 'stdio' | 'sse');
}

/**
 * Renders a launch option and returns its result. The launch option counts as exported if `render` does not throw
 * `Omitted`.
 */
export function tryWay<T>(
  way: Way,
  render: (notes: Notes) => T,
): { readonly result: WayResult; readonly rendered?: T } {
  const notes: Notes = new Set();
  try {
    const rendered = render(notes);
    return { result: { way: way.name, status: 'exported', ...listed(notes) }, rendered };
  } catch (error) {
    if (!(error instanceof Omitted)) throw error;
    return { result: omittedWay(way, error, notes) };
  }
}

export function omittedWay(
  way: Way,
  { reason, detail, path }: Pick<Omitted, 'reason'> & Partial<Pick<Omitted, 'detail' | 'path'>>,
  notes: Notes = new Set(),
): WayResult {
  const pointer = path === undefined ? undefined : `/${way.name.replace('[', '/').replace(']', '')}${path}`;
  return {
    way: way.name,
    status: 'omitted',
    reason,
    ...(detail !== undefined && { detail }),
    ...(pointer !== undefined && { path: pointer }),
    ...listed(notes),
  };
}

function listed(notes: Notes): Pick<WayResult, 'notes'> {
  return notes.size > 0 ? { notes: [...notes].toSorted() } : {};
}

/**
 * Returns the result of an entry. It is exported if at least one of its launch options is. Otherwise it is omitted, and
 * the reason is that of the first launch option that was not filtered out.
 */
export function toEntryResult(
  { server, shortName }: VisibleEntry,
  ways: readonly WayResult[],
  outcome?: Partial<Pick<EntryResult, 'status' | 'reason' | 'detail' | 'notes'>>,
): EntryResult {
  const isExported = ways.some(({ status }) => status === 'exported');
  const first = ways.find(({ reason }) => reason !== 'filtered-transport' && reason !== 'not-preferred');
  const reason = (first ?? ways[0])?.reason ?? 'no-ways';
  return {
    name: server.name,
    version: server.version,
    ...(shortName !== undefined && { shortName }),
    status: isExported ? 'exported' : 'omitted',
    ...(!isExported && { reason }),
    ...outcome,
    ways,
  };
}

/** Returns a comparator that sorts by a string key in code unit order. */
export function byText<T>(keyOf: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => {
    const [left, right] = [keyOf(a), keyOf(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  };
}
