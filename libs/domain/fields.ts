/** A JSON object of unknown shape. */
export type Fields = Readonly<Record<string, unknown>>;

/** Returns true for JSON objects, but not for arrays. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
