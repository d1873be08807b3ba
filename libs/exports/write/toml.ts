/** The subset of TOML 1.0 that the formats need: tables, strings, booleans, arrays and inline tables. */
export type TomlValue = string | boolean | readonly TomlValue[] | { readonly [key: string]: TomlValue };

type TomlTable = { readonly [key: string]: TomlValue };

const BARE_KEY = /^[A-Za-z0-9_-]+$/;
const ESCAPES: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    '\b': '\\b',
    '\t': '\\t',
    '\n': '\\n',
    '\f': '\\f',
    '\r': '\\r',
    '"': '\\"',
    '\\': '\\\\',
  }),
);

/**
 * Returns a TOML document with the tables in the order of their keys. Each table has its path as a header, followed by
 * its plain values and then its subtables.
 */
export function writeToml(root: TomlTable): string {
  return `${tableLines(root, []).join('\n')}\n`;
}

function tableLines(table: TomlTable, path: readonly string[]): string[] {
  const entries = Object.entries(table);
  const plain = entries.filter(([, value]) => !isTable(value));
  const tables = entries.filter((entry): entry is [string, TomlTable] => isTable(entry[1]));
  const hasHead = path.length > 0 && (plain.length > 0 || tables.length === 0);
  return [
    ...(hasHead ? [`[${path.map(writeKey).join('.')}]`] : []),
    ...plain.map(([key, value]) => `${writeKey(key)} = ${writeValue(value)}`),
    ...(hasHead && tables.length > 0 ? [''] : []),
    ...tables.flatMap(([key, below], index) => [...(index > 0 ? [''] : []), ...tableLines(below, [...path, key])]),
  ];
}

function isTable(value: TomlValue): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value);
}

function writeKey(key: string): string {
  return BARE_KEY.test(key) ? key : writeString(key);
}

function writeValue(value: TomlValue): string {
  if (typeof value === 'string') return writeString(value);
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${value.map(writeValue).join(', ')}]`;
  const pairs = Object.entries(value as TomlTable).map(([key, each]) => `${writeKey(key)} = ${writeValue(each)}`);
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
}

function writeString(text: string): string {
  const escaped = text.replace(
    /[\p{Cc}"\\\u2028\u2029]/gu,
    (character) => ESCAPES.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${escaped}"`;
}
