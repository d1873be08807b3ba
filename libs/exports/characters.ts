import { Omitted } from './omission.js';

/** Control, bidirectional and zero-width characters, and halves of surrogate pairs. */
const HIDDEN = /[\p{Cc}\p{Cs}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;
const ALL_HIDDEN = new RegExp(HIDDEN.source, 'gu');

/** Returns the text; throws `Omitted` for characters that do not show. */
export function demandVisible(text: string): string {
  if (HIDDEN.test(text)) throw new Omitted('control-character');
  return text;
}

/** Returns a title or description on one line, without characters that do not show. */
export function toPlainLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(ALL_HIDDEN, '').trim();
}

/** Returns at most so many code points of a text. */
export function cut(text: string, length: number): string {
  return Array.from(text).slice(0, length).join('').trimEnd();
}
