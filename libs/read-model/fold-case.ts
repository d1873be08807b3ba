/**
 * Folds the case of a text, so that texts are comparable regardless of it. Both steps are needed: lower case alone depends on the neighbours (a sigma at
 * the end of a word), and upper case alone leaves letters such as the Kelvin sign apart from their twins.
 */
export function foldCase(text: string): string {
  return text.toLowerCase().toUpperCase();
}
