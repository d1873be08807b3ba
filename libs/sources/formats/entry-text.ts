import { isAscii, isUtf8 } from 'node:buffer';
import { EntryFault } from './entry-fault.js';
import type { Slice } from './json-cutter.js';

/** One entry of a file: its original text without white space between tokens, and its parsed value. */
export interface EntryText {
  readonly text: string;
  readonly value: unknown;
}

/**
 * Parses one entry. The text keeps the original order, names, numbers and escapes, which would be lost in a conversion
 * to JavaScript objects and back (`{"10":…,"9":…}`, 12345678901234567890, 1.0). In return, everything that two parsers
 * could interpret differently is rejected: duplicate names, numbers out of range, and invalid Unicode.
 *
 * Throws an EntryFault if the entry must not be served, and a SyntaxError if the bytes are not JSON.
 */
export function parseEntry({
  bytes,
  colons,
  hasBlanks,
}: Pick<Slice, 'colons' | 'hasBlanks'> & { bytes: Uint8Array }): EntryText {
  const text = toText(hasBlanks ? minify(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  const value: unknown = JSON.parse(text);
  const members = countMembers(value);
  // Valid UTF-8 and valid JSON can contain a lone surrogate or a NUL only as an escape.
  if (text.includes('\\u') || Number.isNaN(members)) refuseUnstorable(value, []);
  if (members !== colons) throw new EntryFault([], 'has a field of the same name twice: keep one');
  return { text, value };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

let scratch = Buffer.allocUnsafe(64 * 1024);

/**
 * Decodes bytes to a string. A string with one byte per character needs half the memory and is parsed faster, and most
 * entries are ASCII.
 */
function toText(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (!isUtf8(bytes)) throw new EntryFault([], 'is not UTF-8: save the file in that encoding');
  return bytes.toString('utf8');
}

/** Removes white space outside of strings. The result is valid until the next call. */
function minify(bytes: Uint8Array): Buffer {
  if (scratch.length < bytes.length) scratch = Buffer.allocUnsafe(2 * bytes.length);
  const target = scratch;
  let length = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (inString) {
      target[length++] = byte;
      if (byte === QUOTE) inString = false;
      else if (byte === BACKSLASH && at + 1 < bytes.length) target[length++] = bytes[++at] as number;
    } else if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) {
      target[length++] = byte;
      if (byte === QUOTE) inString = true;
    }
  }
  return target.subarray(0, length);
}

/**
 * Returns the number of members of all objects in `value`, or NaN if a number is out of range. It runs for every entry,
 * so it does no other checks.
 */
function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null)
    return typeof value === 'number' && !Number.isFinite(value) ? NaN : 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += countMembers(item);
  } else {
    for (const key in value) members += 1 + countMembers((value as Record<string, unknown>)[key]);
  }
  return members;
}

/** Throws an EntryFault for strings and numbers that Postgres or another reader cannot store. */
function refuseUnstorable(value: unknown, path: readonly PropertyKey[]): void {
  if (typeof value === 'string') checkText(value, path);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new EntryFault(path, 'is a number out of range');
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    const key = Array.isArray(value) ? Number(name) : name;
    if (typeof key === 'string') checkText(key, [...path, key]);
    refuseUnstorable(member, [...path, key]);
  }
}

function checkText(text: string, path: readonly PropertyKey[]): void {
  if (text.includes('\0')) throw new EntryFault(path, 'holds a NUL character, which cannot be stored: remove it');
  if (!text.isWellFormed()) {
    throw new EntryFault(path, 'holds half of a character (a lone surrogate such as \\ud800): write the whole one');
  }
}
