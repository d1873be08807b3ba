/** Characters that JSON may hold as they are, and that some readers stumble over. */
const AWKWARD = /[\u007f-\u009f\u2028\u2029]/g;

/** Returns JSON with two blanks of indent and a line feed at the end. */
export function writeJson(value: unknown): string {
  return `${escapeAwkward(JSON.stringify(value, undefined, 2))}\n`;
}

/** Returns JSON without blanks. */
export function writeCompactJson(value: unknown): string {
  return escapeAwkward(JSON.stringify(value));
}

function escapeAwkward(json: string): string {
  return json.replace(AWKWARD, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
