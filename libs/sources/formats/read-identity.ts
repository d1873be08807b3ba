import { JsonCutter } from './json-cutter.js';
import type { Container } from './json-cutter.js';

/** What an entry says it is, as far as that can be read. */
export interface Identity {
  readonly name?: string;
  readonly version?: string;
  readonly description?: string;
}

const SERVER: Container = { name: 'server', opener: '{', holdsEntries: true };
/** An answer of the registry API has the server inside. */
const ENTRY: Container = {
  name: 'entry',
  opener: '{',
  holdsEntries: true,
  inside: (key) => (key === 'server' ? SERVER : undefined),
};

const LIMITS = { maxValueBytes: 1024 * 1024, maxDepth: 64 };

/**
 * Reads what an entry with a fault of its text is called: bytes that are not UTF-8, a name that stands twice, more than is read, the
 * beginning of an entry. Of a member that stands twice, the first counts.
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
    // What came before the fault counts.
  }
  return Object.fromEntries(found);
}

const WANTED = new Set(['name', 'version', 'description']);

function textOf(bytes: Uint8Array): string | undefined {
  const value: unknown = JSON.parse(Buffer.from(bytes).toString());
  return typeof value === 'string' && value !== '' ? value : undefined;
}
