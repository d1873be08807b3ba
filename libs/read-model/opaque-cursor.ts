/** A place in a list as clients carry it from page to page. Safe in a URL as it is: VS Code does not encode it. */
export function toOpaque(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** Undefined for a text that `toOpaque` did not make; what it says is still to be checked. */
export function fromOpaque(text: string): unknown {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
