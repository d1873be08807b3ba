import { parseDocument } from 'yaml';

/** Whether an object anywhere in a JSON text has a name twice. JSON.parse cannot say; JSON is YAML, whose parser can. */
export function hasDuplicateNames(json: string): boolean {
  const { errors } = parseDocument(json, { schema: 'json', uniqueKeys: true, prettyErrors: false });
  return errors.some(({ code }) => code === 'DUPLICATE_KEY');
}
