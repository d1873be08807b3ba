import { isFields } from '#domain/fields.js';
import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import { EntryFault } from './entry-fault.js';
import type { EntryText } from './entry-text.js';
import { JsonCutter } from './json-cutter.js';
import type { Container } from './json-cutter.js';
import { toEntry } from './server-json.js';

/** Returns the name as it is served: with the default namespace of its source if it has none of its own. */
export function qualifyName(name: string, defaultNamespace: string | undefined): string {
  return defaultNamespace === undefined || name === '' || name.includes('/') ? name : `${defaultNamespace}/${name}`;
}

/**
 * Converts a server.json to an entry, with the default namespace of its source if the name has none. Throws an
 * EntryFault.
 */
export function toQualifiedEntry(given: EntryText, defaultNamespace: string | undefined): CatalogueEntry {
  const name = nameOf(given.value);
  if (!name || name.includes('/')) return toEntry(given);
  if (defaultNamespace === undefined) return adviseNamespace(name, () => toEntry(given));
  return { ...toEntry(rename(given, qualifyName(name, defaultNamespace))), key: name };
}

function adviseNamespace(name: string, read: () => CatalogueEntry): CatalogueEntry {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof EntryFault)) throw error;
    const remedy = `"${name.slice(0, SHOWN_LIMIT)}" has no namespace: set defaultNamespace on the source to give it one`;
    error.message += `; ${remedy}`;
    throw error;
  }
}

const SHOWN_LIMIT = 100;

function nameOf(value: unknown): string | undefined {
  if (!isFields(value) || !Object.hasOwn(value, 'name')) return undefined;
  return typeof value['name'] === 'string' ? value['name'] : undefined;
}

const ENTRY: Container = { name: 'entry', opener: '{', holdsEntries: true };

/** Replaces the name without changing any other byte of the text. */
function rename({ text, value }: EntryText, name: string): EntryText {
  const bytes = Buffer.from(text);
  const cutter = new JsonCutter(ENTRY, { maxValueBytes: bytes.length, maxDepth: Number.MAX_SAFE_INTEGER });
  const former = cutter.push(bytes).find(({ key }) => key === 'name');
  if (!former?.bytes) throw new Error('renaming an entry removed its name');
  const [before, after] = [bytes.subarray(0, former.offset), bytes.subarray(former.offset + former.bytes.length)];
  const renamed = Buffer.concat([before, Buffer.from(JSON.stringify(name)), after]).toString();
  return { text: renamed, value: { ...(value as object), name } };
}
