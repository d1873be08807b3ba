/**
 * Returns a string without trailing characters that are in `unwanted`. Takes linear time, unlike a regular expression
 * such as `/x+$/`.
 */
export function trimmedEnd(text: string, unwanted: string): string {
  let end = text.length;
  while (end > 0 && unwanted.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
