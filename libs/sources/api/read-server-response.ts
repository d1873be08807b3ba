import { hash } from 'node:crypto';
import type { CatalogueEntry, Lifecycle, QuarantinedEntry } from '#domain/catalogue-entry.js';
import { EntryFault } from '../formats/entry-fault.js';
import { parseEntry } from '../formats/entry-text.js';
import { CutFault, JsonCutter } from '../formats/json-cutter.js';
import type { Container, CutLimits, Slice } from '../formats/json-cutter.js';
import { locateFault } from '../formats/locate-fault.js';
import type { Reading } from '../formats/reading.js';
import { toQualifiedEntry } from '../formats/default-namespace.js';
import { formerLifecycle, toLifecycle } from './lifecycle.js';

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
  const section = {
    container: place,
    root: RESPONSE,
    convert: (_slice: Slice, text: ReturnType<typeof parseEntry>, defaultNamespace?: string) => {
      if (!server) throw new EntryFault([], 'must be an object with the server.json under "server"');
      if (members.some(({ isDuplicate }) => isDuplicate)) {
        throw new EntryFault([], 'has a field of the same name twice: keep one');
      }
      lifecycle = formerLifecycle(text.value);
      lifecycle = toLifecycle(parseMeta(members)) ?? lifecycle;
      return toQualifiedEntry(text, defaultNamespace);
    },
  };
  const item = reading.read(section, server ? { ...server, key: slice.key, isDuplicate: false } : slice);
  if ('quarantined' in item) return { quarantined: { ...item.quarantined, ...(lifecycle && { lifecycle }) } };
  if ('known' in item) throw new Error('a reading that was told of no known entries found one');
  return lifecycle ? { entry: withLifecycle(item.entry, lifecycle), hash: hashOf(item.hash, lifecycle) } : item;
}

/** The registry's word counts for more than what the publisher wrote into the server.json. */
function withLifecycle(entry: CatalogueEntry, lifecycle: Lifecycle): CatalogueEntry {
  return { ...entry, lifecycle, status: lifecycle.status === 'deleted' ? entry.status : lifecycle.status };
}

/** Without the mark of the latest version, which moves with every new one: it is compared by itself. */
function hashOf(server: Buffer, lifecycle: Lifecycle): Buffer {
  const compared = JSON.stringify(lifecycle, (name, value: unknown) => (name === 'isLatest' ? undefined : value));
  return hash('sha256', Buffer.concat([server, Buffer.from(compared)]), 'buffer');
}

/** Nothing for what is no object, or too large to be kept. */
function cutMembers({ bytes, opener, offset }: Slice): Slice[] {
  if (!bytes || opener !== '{') return [];
  const cutter = new JsonCutter(RESPONSE, ENTRY_LIMITS);
  try {
    const members = cutter.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    cutter.end();
    return members.map((member) => ({ ...member, offset: offset + member.offset }));
  } catch (error) {
    throw error instanceof CutFault ? new CutFault(error.message, offset + error.offset) : error;
  }
}

function parseMeta(members: readonly Slice[]): unknown {
  const meta = members.find(({ key }) => key === '_meta');
  if (!meta?.bytes) return undefined;
  const { bytes, colons, hasBlanks, offset } = meta;
  try {
    return parseEntry({ bytes, colons, hasBlanks }).value;
  } catch (error) {
    if (error instanceof EntryFault) throw new EntryFault(['_meta'], error.message);
    throw locateFault(bytes, offset) ?? error;
  }
}
