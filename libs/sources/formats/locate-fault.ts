import { parseJson } from '#domain/parse-json.js';
import { CutFault, JsonCutter } from './json-cutter.js';
import type { Container } from './json-cutter.js';

/**
 * Finds the first position at which a text is not JSON, because `JSON.parse` does not always report it. Returns
 * undefined for valid JSON.
 */
export function locateFault(bytes: Uint8Array, offset: number): CutFault | undefined {
  const whole = { maxValueBytes: bytes.length + 1, maxDepth: 1 };
  const cutter = new JsonCutter(everything(String.fromCharCode(bytes[0] ?? 0)), whole);
  try {
    // The added space terminates a number at the end.
    for (const slice of cutter.push(Buffer.concat([bytes, Buffer.from(' ')]))) {
      if (!isJson(slice.bytes)) throw new CutFault(`${describe(slice.bytes)} is not valid JSON`, slice.offset);
    }
    cutter.end();
    return undefined;
  } catch (error) {
    if (error instanceof CutFault) return new CutFault(error.message, offset + error.offset);
    throw error;
  }
}

/** Returns a container that cuts every object and array apart, down to strings and numbers. */
function everything(opener: string): Container {
  return {
    name: '',
    opener: opener === '[' ? '[' : '{',
    inside: (_key, inner) => everything(inner),
    holdsEntries: true,
  };
}

function isJson(bytes: Uint8Array | undefined): boolean {
  return parseJson(Buffer.from(bytes ?? []).toString()) !== undefined;
}

function describe(bytes: Uint8Array | undefined): string {
  const text = Buffer.from(bytes ?? []).toString();
  if (text.startsWith('"')) return 'a string with a bare line break, tab or wrong escape';
  return `"${text.slice(0, 20)}"`;
}
