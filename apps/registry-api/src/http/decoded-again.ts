/** Decodes a part of a URL that a proxy has encoded a second time. */
export function decodedAgain(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
