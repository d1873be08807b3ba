/** Returns the value of a JSON string, or undefined if the string is not JSON. No JSON has the value undefined. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
