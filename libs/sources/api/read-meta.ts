import { EntryFault } from '../formats/entry-fault.js';
import { cutObject } from '../formats/cut-object.js';
import { parseEntry } from '../formats/entry-text.js';
import type { EntryText } from '../formats/entry-text.js';
import type { Container, Slice } from '../formats/json-cutter.js';
import { locateFault } from '../formats/locate-fault.js';
import { OFFICIAL } from './lifecycle.js';

const META: Container = { name: '_meta', opener: '{', holdsEntries: true };

/**
 * Limits of one namespace in `_meta`, and of all foreign namespaces together. They are limited because they are sent
 * with every response.
 */
export const META_LIMITS = { maxValueBytes: 32 * 1024, maxDepth: 16, maxForeignBytes: 64 * 1024 };

/** The content of the `_meta` next to a server. */
export interface ResponseMeta {
  /** The block of the official registry, not validated yet. Undefined if there is none. */
  readonly official: unknown;
  /** The members of other namespaces in their original form, without the surrounding braces. */
  readonly foreign?: string;
}

/**
 * Reads the `_meta` of a response. An error in the official block throws an EntryFault, because the block may say that
 * the server must not be used. A foreign block that is invalid or exceeds the limits is left out, because it does not
 * affect the server.
 */
export function readMeta(meta: Slice | undefined): ResponseMeta {
  if (!meta) return { official: undefined };
  if (meta.excess) throw new EntryFault(['_meta'], 'has too many bytes or levels');
  const members = cutObject(meta, META, META_LIMITS);
  if (members.some(({ key, isDuplicate }) => key === OFFICIAL && isDuplicate)) {
    throw new EntryFault(['_meta', OFFICIAL], 'occurs twice: keep one');
  }
  const official = members.find(({ key }) => key === OFFICIAL);
  const foreign = members.filter(({ key, isDuplicate }) => key !== OFFICIAL && !isDuplicate).map(toMember);
  const kept = withinLimit(foreign.filter((member) => member !== undefined));
  return {
    official: official && parseOfficial(official),
    ...(kept.length > 0 && { foreign: kept.join(',') }),
  };
}

function parseOfficial(slice: Slice): unknown {
  const path = ['_meta', OFFICIAL];
  if (!slice.bytes) {
    const { maxValueBytes, maxDepth } = META_LIMITS;
    throw new EntryFault(path, `must have at most ${maxValueBytes} bytes and ${maxDepth} levels`);
  }
  try {
    return parse(slice).value;
  } catch (error) {
    throw error instanceof EntryFault ? new EntryFault(path, error.message) : error;
  }
}

function toMember(slice: Slice): string | undefined {
  const key = String(slice.key);
  if (!slice.bytes || key.includes('\0') || !key.isWellFormed()) return undefined;
  try {
    return `${JSON.stringify(key)}:${parse(slice).text}`;
  } catch (error) {
    if (error instanceof EntryFault) return undefined;
    throw error;
  }
}

/** Returns the first members that fit into the limit together. */
function withinLimit(members: readonly string[]): string[] {
  let left = META_LIMITS.maxForeignBytes;
  return members.filter((member) => {
    left -= Buffer.byteLength(member) + 1;
    return left >= 0;
  });
}

function parse({ bytes = new Uint8Array(), colons, hasBlanks, offset }: Slice): EntryText {
  try {
    return parseEntry({ bytes, colons, hasBlanks });
  } catch (error) {
    if (error instanceof EntryFault) throw error;
    throw locateFault(bytes, offset) ?? error;
  }
}
