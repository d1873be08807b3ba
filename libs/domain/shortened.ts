/** `text` in at most `limit` UTF-16 units, an ellipsis included where some is left out; no character is torn in two. */
export function shortened(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit - 1).toWellFormed()}…` : text;
}
