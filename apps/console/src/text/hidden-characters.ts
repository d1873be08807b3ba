/** A piece of a text: as it is, or a character that would be invisible or would reorder what is around it. */
export type Piece = { readonly plain: string } | { readonly code: string };

/**
 * Control characters but tab and line feed, format characters (bidirectional overrides and zero widths among them), line and
 * paragraph separators, private use, unassigned and lone surrogates, and what draws nothing (Default_Ignorable_Code_Point).
 * Variation selectors and joiners between pictographs stay: they belong to emoji.
 */
const HIDDEN =
  /(?<=\p{Extended_Pictographic}[\uFE0F\p{Emoji_Modifier}]?)\u200D(?=\p{Extended_Pictographic})|(?<=\p{Emoji})\uFE0F|([\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}]|(?![\t\n])\p{Cc})/gu;

/** Splits a text of a stranger into what can be shown and what has to be named by its code point. */
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

/** Writes a text with codes in place of hidden characters, for titles and attributes. */
export const withoutHidden = (text: string): string =>
  splitHidden(text)
    .map((piece) => ('plain' in piece ? piece.plain : `[${piece.code}]`))
    .join('');

const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** Cuts a text at a number of UTF-16 code units, never inside of a surrogate pair. */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const cut = text.slice(0, limit);
  return /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
}
