import { expect, it } from 'vitest';
import { didYouMean, nearNames } from './near-names.js';

it('prefers the same file elsewhere, then the most similar spelling', () => {
  const names = ['docs/readme.json', 'a/registry.json', 'registri.json', 'package-lock.json'];
  expect(nearNames('registry.json', names)).toEqual(['a/registry.json', 'registri.json']);
});

it('returns at most five, and only similar ones', () => {
  expect(
    nearNames(
      'main',
      Array.from({ length: 9 }, (_, index) => `main${index}`),
    ),
  ).toHaveLength(5);
  expect(nearNames('main', ['release/2026-11', 'gh-pages'])).toEqual([]);
});

it('formats a question', () => {
  expect(didYouMean([])).toBe('');
  expect(didYouMean(['a'])).toBe(' Did you mean a?');
  expect(didYouMean(['a', 'b', 'c'])).toBe(' Did you mean a, b or c?');
});
