import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutText, splitHidden, withoutHidden } from './hidden-characters.js';

describe('an untrusted string', () => {
  it.each([
    ['override \u202Eevil', 'override [U+202E]evil'],
    ['isolate \u2066a\u2069', 'isolate [U+2066]a[U+2069]'],
    ['zero\u200Bwidth\u200D\u2060\uFEFF', 'zero[U+200B]width[U+200D][U+2060][U+FEFF]'],
    ['mark \u200F\u061C', 'mark [U+200F][U+061C]'],
    ['control \u0000\u001B[31m\u0085', 'control [U+0000][U+001B][31m[U+0085]'],
    ['lines \u2028\u2029', 'lines [U+2028][U+2029]'],
    ['filler \u3164\u115F', 'filler [U+3164][U+115F]'],
    ['tag \u{E0041}', 'tag [U+E0041]'],
    ['private \uE000', 'private [U+E000]'],
    ['half \uD800', 'half [U+D800]'],
    ['carriage\rreturn', 'carriage[U+000D]return'],
    ['soft\u00ADhyphen', 'soft[U+00AD]hyphen'],
  ])('%j shows its hidden characters', (text, shown) => {
    expect(withoutHidden(text)).toBe(shown);
  });

  it.each(['plain', 'tab\tand\nline', 'Grüße 日本語 עברית العربية', '👩‍💻 ❤️ 👍🏽 🏳️‍🌈', 'e\u0301', ''])(
    '%j is unchanged',
    (text) => {
      expect(withoutHidden(text)).toBe(text);
    },
  );

  it('loses no characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const back = splitHidden(text).map((piece) =>
          'plain' in piece ? piece.plain : String.fromCodePoint(Number.parseInt(piece.code.slice(2), 16)),
        );
        expect(back.join('')).toBe(text);
      }),
    );
  });
});

describe('a truncation', () => {
  it('never splits a surrogate pair', () => {
    expect(cutText('ab😀', 3)).toBe('ab');
    expect(cutText('ab😀', 4)).toBe('ab😀');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, limit) => {
        const cut = cutText(text, limit);
        expect(cut.length).toBeLessThanOrEqual(Math.max(limit, 0));
        expect(text.startsWith(cut)).toBe(true);
        expect(cut.isWellFormed()).toBe(true);
      }),
    );
  });
});
