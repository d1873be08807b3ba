/** A piece of a string: plain characters, or one character that would be invisible or reorder its surroundings. */
export type Piece = { readonly plain: string } | { readonly code: string };

/**
 * Matches characters that are hidden: control characters except tab and line feed; format characters, including
 * bidirectional overrides and zero-width characters; line and paragraph separators; private use, unassigned and lone
 * surrogates; and other characters that draw nothing (Default_Ignorable_Code_Point). Variation selectors and joiners
 * between pictographs are not matched, because they are part of emoji.
 */
const HIDDEN =
  /(?<=\p{Extended_Pictographic}[\uFE0F\p{Emoji_Modifier}]?)\u200D(?=\p{Extended_Pictographic})|(?<=\p{Emoji})\uFE0F|([\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}]|(?![\t\n])\p{Cc})/gu;

/** Splits an untrusted string into visible parts and hidden characters, which have to be shown by their code points. */
export function splitHidden(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match[1] === undefined) continue;
    if (match.index > from) pieces.push({ plain: text.slice(from, match.index) });
    pieces.push({ code: codePoint(match[1]) });
    from = match.index + match[1].length;
  }
  if (from < text.length) pieces.push({ plain: text.slice(from) });
  return pieces;
}

/** Replaces hidden characters in a string by their codes, for titles and attributes. */
export const withoutHidden = (text: string): string =>
  splitHidden(text)
    .map((piece) => ('plain' in piece ? piece.plain : `[${piece.code}]`))
    .join('');

const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** Truncates a string to a number of UTF-16 code units, without splitting a surrogate pair. */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const cut = text.slice(0, limit);
  return /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
}
