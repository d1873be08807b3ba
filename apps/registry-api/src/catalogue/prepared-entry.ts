import type { LifecycleStatus } from '#domain/catalogue-entry.js';

/** An entry as it is stored; times in milliseconds since 1970. */
export interface StoredEntry {
  readonly name: string;
  readonly version: string;
  readonly serverJson: string;
  readonly title: string | null;
  readonly description: string;
  readonly status: string;
  readonly publishedAtMs: number;
  readonly updatedAtMs: number;
  readonly statusChangedAtMs: number;
  /** When it was removed; it is a tombstone then. */
  readonly deletedAtMs: number | null;
}

/**
 * An entry that is ready to be sent: the bytes `start` to `end` of `slab`, followed there by a comma. Neighbours in list
 * order are neighbours in the slab, so that a page is a few slices of memory and not a piece of work.
 */
export interface PreparedEntry {
  readonly name: string;
  readonly version: string;
  readonly latest: boolean;
  readonly deleted: boolean;
  readonly publishedAtMs: number;
  readonly updatedAtMs: number;
  /** Case-folded name, title and description. */
  readonly searchText: string;
  readonly slab: Buffer;
  readonly start: number;
  readonly end: number;
}

/** All versions of one server in one source. */
export interface PreparedServer {
  readonly name: string;
  /** In text order, tombstones included. */
  readonly versions: readonly PreparedEntry[];
  /** By publication, then by precedence. */
  readonly newestFirst: readonly PreparedEntry[];
  readonly latest: PreparedEntry;
}

/** The ServerResponse of the generic registry API; `server` is passed on as it is stored, byte for byte. */
export function toServerResponse(entry: StoredEntry, isLatest: boolean): string {
  const status: LifecycleStatus =
    entry.deletedAtMs !== null ? 'deleted' : entry.status === 'deprecated' ? 'deprecated' : 'active';
  const official = JSON.stringify({
    status,
    statusChangedAt: new Date(entry.deletedAtMs ?? entry.statusChangedAtMs).toISOString(),
    publishedAt: new Date(entry.publishedAtMs).toISOString(),
    updatedAt: new Date(updatedAtMs(entry)).toISOString(),
    isLatest,
  });
  return `{"server":${entry.serverJson},"_meta":{"io.modelcontextprotocol.registry/official":${official}}}`;
}

/** A removal is a change like any other. */
export function updatedAtMs(entry: StoredEntry): number {
  return Math.max(entry.updatedAtMs, entry.deletedAtMs ?? 0);
}
