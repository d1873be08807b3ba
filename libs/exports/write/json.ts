/** Characters that are valid unescaped in JSON, but that some parsers mishandle. */
const AWKWARD = /[\u007f-\u009f\u2028\u2029]/g;

/** Returns JSON with an indent of two spaces and a trailing line feed. */
export function writeJson(value: unknown): string {
  return `${escapeAwkward(JSON.stringify(value, undefined, 2))}\n`;
}

/**
 * Returns JSON with a line feed at the end. Each value at the given depth is written on one line, so an entry of a
 * large catalogue takes one line and two files can still be compared.
 */
export function writeJsonLines(value: object, depth: number): string {
  return `${escapeAwkward(linesOf(value, depth, ''))}\n`;
}

function linesOf(value: unknown, depth: number, indent: string): string {
  if (depth === 0 || typeof value !== 'object' || value === null) return JSON.stringify(value);
  const deeper = `${indent}  `;
  const [opener, closer] = Array.isArray(value) ? '[]' : '{}';
  const lines = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .map(([key, each]) => {
      const text = linesOf(each, depth - 1, deeper);
      return opener === '[' ? text : `${JSON.stringify(key)}: ${text}`;
    });
  return lines.length === 0
    ? `${opener}${closer}`
    : `${opener}\n${deeper}${lines.join(`,\n${deeper}`)}\n${indent}${closer}`;
}

/** Returns JSON without whitespace and in pure ASCII. */
export function writeAsciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[^ -~]/g, escapeUnit);
}

/** Returns JSON without white space. */
export function writeCompactJson(value: unknown): string {
  return escapeAwkward(JSON.stringify(value));
}

function escapeAwkward(json: string): string {
  return json.replace(AWKWARD, escapeUnit);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
