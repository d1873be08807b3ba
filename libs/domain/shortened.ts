/**
 * Truncates `text` to at most `limit` UTF-16 code units, including an ellipsis if something was cut off. Never splits a
 * character.
 */
export function shortened(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit - 1).toWellFormed()}…` : text;
}
