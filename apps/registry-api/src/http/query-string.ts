/** Marks a value that cannot be decoded. */
export const UNDECODABLE = Symbol('not valid percent-encoded UTF-8');

export type QueryValue = string | typeof UNDECODABLE | readonly unknown[];

const NO_VALUES = Object.freeze(Object.create(null) as Record<string, QueryValue>);

/**
 * Parses a query string. Never throws, because the router calls it where nothing would catch the error. A name that is
 * repeated, or that has the brackets which other parsers interpret as arrays and objects, gets an array as its value,
 * which no schema here accepts.
 */
export function parseQueryString(text: string): Record<string, QueryValue> {
  if (text === '') return NO_VALUES;
  const values: Record<string, QueryValue> = Object.create(null) as Record<string, QueryValue>;
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const rawName = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    const [name = '', ...brackets] = typeof rawName === 'string' ? rawName.split('[') : [String(rawName)];
    const known = values[name];
    if (rawName === UNDECODABLE) values[name] = UNDECODABLE;
    else values[name] = known === undefined && brackets.length === 0 ? value : [known, value];
  }
  return values;
}

function decode(text: string): string | typeof UNDECODABLE {
  if (!/[+%]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return UNDECODABLE;
  }
}
