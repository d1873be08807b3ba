import { hash } from 'node:crypto';
import type { CatalogueEntry, Lifecycle, QuarantinedEntry } from '#domain/catalogue-entry.js';
import { EntryFault } from '../formats/entry-fault.js';
import type { parseEntry } from '../formats/entry-text.js';
import { cutObject } from '../formats/cut-object.js';
import type { Container, Slice } from '../formats/json-cutter.js';
import type { CutLimits } from '../formats/value-reader.js';
import type { Reading } from '../formats/reading.js';
import { toQualifiedEntry } from '../formats/default-namespace.js';
import { formerLifecycle, toLifecycle } from './lifecycle.js';
import { readMeta } from './read-meta.js';
import { withoutOfficial } from './without-official.js';

/** Limits of one entry, the same as for files. Real entries have at most about 40 kB and ten levels. */
export const ENTRY_LIMITS: CutLimits = { maxValueBytes: 1024 * 1024, maxDepth: 64 };

export type ApiItem =
  /**
   * `hash` is the SHA-256 of the server.json in its original form and of the lifecycle. Equal hashes mean equal
   * entries.
   */
  { readonly entry: CatalogueEntry; readonly hash: Buffer } | { readonly quarantined: QuarantinedEntry };

const RESPONSE: Container = { name: 'response', opener: '{', holdsEntries: true };

/**
 * Reads one `{"server": …, "_meta": …}` of a list. The server.json is cut out in its original form and then processed
 * like an entry of a file, with the same checks and errors. An entry that is the server itself is accepted as well.
 * Throws a CutFault if the bytes are not JSON.
 */
export function readServerResponse(slice: Slice, place: string, reading: Reading): ApiItem {
  const members = cutMembers(slice);
  const server = members.find(({ key }) => key === 'server');
  // In the API before it had responses of two parts, and in many hand-written lists, the entry is the server itself.
  const isFlat = !server && members.some(({ key }) => key === 'name');
  let lifecycle: Lifecycle | undefined;
  let foreignMeta: string | undefined;
  const section = {
    container: place,
    root: RESPONSE,
    convert: (_slice: Slice, text: ReturnType<typeof parseEntry>, defaultNamespace?: string) => {
      if (!server && !isFlat) throw new EntryFault([], 'must be an object with the server.json under "server"');
      if (members.some(({ isDuplicate }) => isDuplicate)) {
        throw new EntryFault([], 'has a field of the same name twice: keep one');
      }
      lifecycle = formerLifecycle(text.value);
      const meta = readMeta(members.find(({ key }) => key === '_meta'));
      lifecycle = toLifecycle(meta.official) ?? lifecycle;
      if (server) foreignMeta = meta.foreign;
      return toQualifiedEntry(isFlat ? withoutOfficial(text) : text, defaultNamespace);
    },
  };
  const item = reading.read(section, server ? { ...server, key: slice.key, isDuplicate: false } : slice);
  if ('quarantined' in item) return { quarantined: { ...item.quarantined, ...(lifecycle && { lifecycle }) } };
  if ('known' in item) throw new Error('an entry counts as known although no known entries were given');
  if (!lifecycle && foreignMeta === undefined) return item;
  const entry = lifecycle ? withLifecycle(item.entry, lifecycle) : item.entry;
  return {
    entry: { ...entry, ...(foreignMeta !== undefined && { foreignMeta }) },
    hash: hashOf(item.hash, lifecycle, foreignMeta),
  };
}

/**
 * Adds the lifecycle. The status of the registry takes precedence over the one that the publisher wrote into the
 * server.json.
 */
function withLifecycle(entry: CatalogueEntry, lifecycle: Lifecycle): CatalogueEntry {
  return { ...entry, lifecycle, status: lifecycle.status === 'deleted' ? entry.status : lifecycle.status };
}

/**
 * Returns the hash of an entry. The mark of the latest version is not included, because it moves with every new version
 * and is compared separately.
 */
function hashOf(server: Buffer, lifecycle: Lifecycle | undefined, foreignMeta = ''): Buffer {
  const compared = lifecycle
    ? JSON.stringify(lifecycle, (name, value: unknown) => (name === 'isLatest' ? undefined : value))
    : '';
  return hash('sha256', Buffer.concat([server, Buffer.from(`${compared}${foreignMeta}`)]), 'buffer');
}

/** Returns the members of a response, or none if it is not an object or too large to be kept. */
function cutMembers(slice: Slice): Slice[] {
  return cutObject(slice, RESPONSE, ENTRY_LIMITS);
}
