import { expect, it } from 'vitest';
import { compileFilter } from './source-filter.js';

const entry = { key: 'fetch', name: 'io.github.stacklok/fetch', tags: ['web', 'production'] };

it.each([
  ['nothing', undefined, undefined],
  ['empty lists', { names: { include: [], exclude: [] }, tags: { include: [] } }, undefined],
  ['an include of the key', { names: { include: ['fet*'] } }, undefined],
  ['an include of the converted name', { names: { include: ['io.github.*'] } }, undefined],
  ['another include', { names: { include: ['official/*'] } }, 'names.include: no pattern matches'],
  ['an exclude of the key', { names: { include: ['*'], exclude: ['fetch'] } }, 'names.exclude: fetch'],
  ['a wanted tag', { tags: { include: ['production'] } }, undefined],
  ['a tag in another case', { tags: { include: ['Production'] } }, 'tags.include: no tag matches'],
  ['an unwanted tag beside a wanted one', { tags: { include: ['production'], exclude: ['web'] } }, 'tags.exclude: web'],
  [
    'a name that fits and a tag that does not',
    { names: { include: ['*'] }, tags: { include: ['x'] } },
    'tags.include: no tag matches',
  ],
])('decides by %s', (_what, filter, rule) => {
  expect(compileFilter(filter)(entry)).toBe(rule);
});

it('leaves out what has no tags when tags are wanted', () => {
  expect(compileFilter({ tags: { include: ['a'] } })({ ...entry, tags: [] })).toBe('tags.include: no tag matches');
});

it('refuses a malformed pattern', () => {
  expect(() => compileFilter({ names: { include: ['[a'] } })).toThrow(SyntaxError);
});
