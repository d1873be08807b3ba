import { parseDocument } from 'yaml';

/**
 * Returns whether any object in a JSON document has a duplicate member name. JSON.parse does not detect this, so the
 * document is parsed as YAML, of which JSON is a subset.
 */
export function hasDuplicateNames(json: string): boolean {
  const { errors } = parseDocument(json, { schema: 'json', uniqueKeys: true, prettyErrors: false });
  return errors.some(({ code }) => code === 'DUPLICATE_KEY');
}
