import { JsonCutter } from './json-cutter.js';
import type { Container } from './json-cutter.js';

/** The identity of an entry, as far as it can be read. */
export interface Identity {
  readonly name?: string;
  readonly version?: string;
  readonly description?: string;
}

const SERVER: Container = { name: 'server', opener: '{', holdsEntries: true };
/** A response of the registry API contains the server as a member. */
const ENTRY: Container = {
  name: 'entry',
  opener: '{',
  holdsEntries: true,
  inside: (key) => (key === 'server' ? SERVER : undefined),
};

const LIMITS = { maxValueBytes: 1024 * 1024, maxDepth: 64 };

/**
 * Reads the identity of an entry with an invalid text: bytes that are not UTF-8, a duplicate member, an entry that is
 * too large, or only the beginning of an entry. If a member occurs twice, the first one is used.
 */
export function readIdentity(bytes: Uint8Array): Identity {
  const found = new Map<string, string>();
  const cutter = new JsonCutter(ENTRY, LIMITS);
  try {
    for (const { key, bytes: value, isDuplicate } of cutter.push(Buffer.from(Buffer.from(bytes).toString('utf8')))) {
      const said = value && !isDuplicate ? textOf(value) : undefined;
      if (said !== undefined && WANTED.has(String(key)) && !found.has(String(key))) found.set(String(key), said);
    }
  } catch {
    // Uses what came before the error.
  }
  return Object.fromEntries(found);
}

const WANTED = new Set(['name', 'version', 'description']);

function textOf(bytes: Uint8Array): string | undefined {
  const value: unknown = JSON.parse(Buffer.from(bytes).toString());
  return typeof value === 'string' && value !== '' ? value : undefined;
}
