import { describe, expect, it } from 'vitest';
import { compileGlob } from './glob.js';

describe('a pattern', () => {
  it.each([
    ['official/*', 'official/a', true],
    ['official/*', 'official/a/b', true],
    ['official/*', 'unofficial/a', false],
    ['*/deprecated', 'a/b/deprecated', true],
    ['*', '', true],
    ['a*b*c', 'aXbYc', true],
    ['a*b*c', 'acb', false],
    ['**', 'anything/at/all', true],
    ['?', '😀', true],
    ['a?c', 'ac', false],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[^a-c]x', 'dx', true],
    ['[]]x', ']x', true],
    ['[a-]x', '-x', true],
    ['\\*x', '*x', true],
    ['\\*x', 'ax', false],
    ['[\\]]', ']', true],
    ['Case', 'case', false],
    ['a.c', 'abc', false],
    ['{a,b}', 'a', false],
    ['', '', true],
    ['', 'a', false],
  ])('%s on "%s": %s', (pattern, text, expected) => {
    expect(compileGlob(pattern).matches(text)).toBe(expected);
  });

  it.each([
    ['[a', '"["'],
    ['x\\', 'backslash'],
    ['[z-a]', 'whose start is after its end'],
    ['[', 'never closed'],
  ])('%s is rejected with the reason', (pattern, words) => {
    expect(() => compileGlob(pattern)).toThrow(words);
  });

  it('that would make a regular expression backtrack forever is matched quickly', () => {
    expect(compileGlob('*a'.repeat(100)).matches('a'.repeat(5_000) + 'b')).toBe(false);
  });
});
