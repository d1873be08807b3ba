/**
 * Makes texts comparable regardless of case. Both steps, because lower case alone depends on the neighbours (a sigma at
 * the end of a word), and upper case alone leaves letters such as the Kelvin sign apart from their twins.
 */
export function foldCase(text: string): string {
  return text.toLowerCase().toUpperCase();
}
