import { Omitted } from './omission.js';

/** Invisible characters: control, bidirectional and zero-width characters, and unpaired surrogates. */
const HIDDEN = /[\p{Cc}\p{Cs}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;
const ALL_HIDDEN = new RegExp(HIDDEN.source, 'gu');

/** Returns the string; throws `Omitted` if it contains invisible characters. */
export function demandVisible(text: string): string {
  if (HIDDEN.test(text)) throw new Omitted('control-character');
  return text;
}

/** Converts a title or description to one line without invisible characters. */
export function toPlainLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(ALL_HIDDEN, '').trim();
}

/** Truncates a string to at most `length` code points, without trailing white space. */
export function cut(text: string, length: number): string {
  // A string never has more code points than UTF-16 units.
  if (text.length <= length) return text.trimEnd();
  return Array.from(text).slice(0, length).join('').trimEnd();
}
