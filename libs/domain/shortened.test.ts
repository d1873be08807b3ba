import { describe, expect, it } from 'vitest';
import { shortened } from './shortened.js';

describe('shortened', () => {
  it.each([
    ['abcd', 4, 'abcd'],
    ['abcde', 4, 'abc…'],
    ['', 4, ''],
  ])('returns %j, of at most %i, as %j', (text, limit, expected) => {
    expect(shortened(text, limit)).toBe(expected);
  });

  it('never splits a character', () => {
    const text = shortened('ab\u{1F600}cd', 4);
    expect(text.isWellFormed()).toBe(true);
    expect(text.length).toBeLessThanOrEqual(4);
  });
});
