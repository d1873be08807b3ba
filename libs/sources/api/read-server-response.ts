import { hash } from 'node:crypto';
import type { CatalogueEntry, Lifecycle, QuarantinedEntry } from '#domain/catalogue-entry.js';
import { EntryFault } from '../formats/entry-fault.js';
import type { parseEntry } from '../formats/entry-text.js';
import { cutObject } from '../formats/cut-object.js';
import type { Container, CutLimits, Slice } from '../formats/json-cutter.js';
import type { Reading } from '../formats/reading.js';
import { toQualifiedEntry } from '../formats/default-namespace.js';
import { formerLifecycle, toLifecycle } from './lifecycle.js';
import { readMeta } from './read-meta.js';

/** Limits of one entry, the same as for files; real entries have some 40 kB and ten levels at most. */
export const ENTRY_LIMITS: CutLimits = { maxValueBytes: 1024 * 1024, maxDepth: 64 };

export type ApiItem =
  /** `hash` (SHA-256) is of the server.json as it came and of the lifecycle: equal hashes are equal entries. */
  { readonly entry: CatalogueEntry; readonly hash: Buffer } | { readonly quarantined: QuarantinedEntry };

const RESPONSE: Container = { name: 'response', opener: '{', holdsEntries: true };

/**
 * Reads one `{"server": …, "_meta": …}` of a list. The server.json is cut out in its own words and order and goes the way
 * of an entry of a file, same checks and same faults. Throws a CutFault when it is not JSON.
 */
export function readServerResponse(slice: Slice, place: string, reading: Reading): ApiItem {
  const members = cutMembers(slice);
  const server = members.find(({ key }) => key === 'server');
  let lifecycle: Lifecycle | undefined;
  let foreignMeta: string | undefined;
  const section = {
    container: place,
    root: RESPONSE,
    convert: (_slice: Slice, text: ReturnType<typeof parseEntry>, defaultNamespace?: string) => {
      if (!server) throw new EntryFault([], 'must be an object with the server.json under "server"');
      if (members.some(({ isDuplicate }) => isDuplicate)) {
        throw new EntryFault([], 'has a field of the same name twice: keep one');
      }
      lifecycle = formerLifecycle(text.value);
      const meta = readMeta(members.find(({ key }) => key === '_meta'));
      lifecycle = toLifecycle(meta.official) ?? lifecycle;
      foreignMeta = meta.foreign;
      return toQualifiedEntry(text, defaultNamespace);
    },
  };
  const item = reading.read(section, server ? { ...server, key: slice.key, isDuplicate: false } : slice);
  if ('quarantined' in item) return { quarantined: { ...item.quarantined, ...(lifecycle && { lifecycle }) } };
  if ('known' in item) throw new Error('a reading that was told of no known entries found one');
  if (!lifecycle && foreignMeta === undefined) return item;
  const entry = lifecycle ? withLifecycle(item.entry, lifecycle) : item.entry;
  return {
    entry: { ...entry, ...(foreignMeta !== undefined && { foreignMeta }) },
    hash: hashOf(item.hash, lifecycle, foreignMeta),
  };
}

/** The registry's word counts for more than what the publisher wrote into the server.json. */
function withLifecycle(entry: CatalogueEntry, lifecycle: Lifecycle): CatalogueEntry {
  return { ...entry, lifecycle, status: lifecycle.status === 'deleted' ? entry.status : lifecycle.status };
}

/** Without the mark of the latest version, which moves with every new one: it is compared by itself. */
function hashOf(server: Buffer, lifecycle: Lifecycle | undefined, foreignMeta = ''): Buffer {
  const compared = lifecycle
    ? JSON.stringify(lifecycle, (name, value: unknown) => (name === 'isLatest' ? undefined : value))
    : '';
  return hash('sha256', Buffer.concat([server, Buffer.from(`${compared}${foreignMeta}`)]), 'buffer');
}

/** Returns the members of a response; none for what is no object, or too large to be kept. */
function cutMembers(slice: Slice): Slice[] {
  return cutObject(slice, RESPONSE, ENTRY_LIMITS);
}
