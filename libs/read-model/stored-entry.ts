import type { LifecycleStatus } from '#domain/catalogue-entry.js';

/** An entry as it is stored; times in milliseconds since 1970. */
export interface StoredEntry {
  readonly name: string;
  readonly version: string;
  /** UTF-8, passed on as it is, byte for byte; followed by the beginning of `_meta` if `hasForeignMeta`. */
  readonly document: Buffer;
  /** Other namespaces than the official one are in `_meta` beside the document. */
  readonly hasForeignMeta: boolean;
  readonly title: string | null;
  readonly description: string;
  readonly tags: readonly string[];
  readonly facets: readonly string[];
  readonly status: string;
  readonly statusMessage: string | null;
  /** The registry that it came from says that it is the latest version. */
  readonly isMarkedLatest: boolean;
  /** Where it stood in what it was first published with. */
  readonly position: number;
  readonly publishedAtMs: number;
  readonly updatedAtMs: number;
  readonly statusChangedAtMs: number;
  /** When it was removed; it is a tombstone then. */
  readonly deletedAtMs: number | null;
}

/** What the official registry's `_meta` block is made of. */
export type StoredLifecycle = Pick<
  StoredEntry,
  'hasForeignMeta' | 'status' | 'statusMessage' | 'publishedAtMs' | 'updatedAtMs' | 'statusChangedAtMs' | 'deletedAtMs'
>;

/** Their blocks are equal. To see this takes a tenth of the time that it takes to make one. */
export function isSaidAlike(a: StoredLifecycle, b: StoredLifecycle): boolean {
  return (
    a.updatedAtMs === b.updatedAtMs &&
    a.publishedAtMs === b.publishedAtMs &&
    a.statusChangedAtMs === b.statusChangedAtMs &&
    a.deletedAtMs === b.deletedAtMs &&
    a.status === b.status &&
    a.hasForeignMeta === b.hasForeignMeta &&
    a.statusMessage === b.statusMessage
  );
}

/** What the official registry's `_meta` block says of an entry that is not the latest, as JSON. */
export function toOfficialBlock(entry: StoredLifecycle): string {
  const status: LifecycleStatus =
    entry.deletedAtMs !== null ? 'deleted' : entry.status === 'deprecated' ? 'deprecated' : 'active';
  const message = entry.statusMessage === null ? '' : `,"statusMessage":${JSON.stringify(entry.statusMessage)}`;
  const statusChangedAt = toIso(entry.statusChangedAtMs);
  const publishedAt = toIso(entry.publishedAtMs);
  const updatedAt = toIso(changedAtMs(entry));
  return `{"status":"${status}"${message},"statusChangedAt":"${statusChangedAt}","publishedAt":"${publishedAt}","updatedAt":"${updatedAt}","isLatest":false}`;
}

/** A removal is a change like any other. */
export function changedAtMs(entry: StoredLifecycle): number {
  return Math.max(entry.updatedAtMs, entry.deletedAtMs ?? 0);
}

let lastTime = { ms: 0, text: new Date(0).toISOString() };

/** Mostly the time that was written last, and writing one takes as long as all the rest of an entry. */
function toIso(ms: number): string {
  if (ms !== lastTime.ms) lastTime = { ms, text: new Date(ms).toISOString() };
  return lastTime.text;
}
