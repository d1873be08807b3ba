import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import { EntryFault } from './entry-fault.js';

/**
 * Maximum number of characters of the title, description, tags and package types of an entry together. Servers keep
 * them in memory for every entry, to search them. In real catalogues, they have a few hundred characters.
 */
export const MAX_SEARCHABLE_CHARACTERS = 32 * 1024;

/** Returns the entry. Throws an EntryFault if its searchable texts are too long to be kept in memory. */
export function withinSearchableText(entry: CatalogueEntry): CatalogueEntry {
  const { title = '', description, tags, facets } = entry;
  const texts = [title, description, ...tags, ...facets];
  const characters = texts.reduce((sum, { length }) => sum + length, 0);
  if (characters <= MAX_SEARCHABLE_CHARACTERS) return entry;
  const [path, what] =
    description.length > MAX_SEARCHABLE_CHARACTERS / 2 ? ['description', 'it'] : [undefined, 'its longest text'];
  throw new EntryFault(
    path === undefined ? [] : [path],
    `is too long to be searched: title, description, tags and package types have ${characters} characters together, ` +
      `and at most ${MAX_SEARCHABLE_CHARACTERS} are kept in memory; shorten ${what}`,
  );
}
