/**
 * Encodes a place in a list, which clients pass from page to page. The result is safe in a URL without further
 * encoding, because VS Code does not encode it.
 */
export function toOpaque(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/**
 * Decodes a place. Returns undefined for a string that `toOpaque` did not create. The caller must validate the result.
 */
export function fromOpaque(text: string): unknown {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
