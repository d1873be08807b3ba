import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import { nearNames } from '#sources/near-names.js';

/**
 * The search ends after this many examined names, or this many candidates. Computing the edit distance of a candidate
 * takes a table of both lengths.
 */
const MAX_EXAMINED = 10_000;
const MAX_COMPARED = 200;
/** Number of leading characters of the last segment that a candidate must contain. */
const START_LENGTH = 3;

/** Returns served names that are similar to a misspelt one, best first. The word index finds the candidates. */
export function nearServedNames(readers: readonly CatalogueReader[], name: string): string[] {
  const start = lastPartOf(name).slice(0, START_LENGTH);
  if (start === '') return [];
  const candidates = new Set<string>();
  let examined = 0;
  for (const reader of readers) {
    for (const candidate of reader.names({ version: 'latest', search: start })) {
      if (lastPartOf(candidate).includes(start)) candidates.add(candidate);
      if (++examined >= MAX_EXAMINED || candidates.size >= MAX_COMPARED) return nearNames(name, [...candidates]);
    }
  }
  return nearNames(name, [...candidates]);
}

function lastPartOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1).toLowerCase();
}
