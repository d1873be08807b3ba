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

it('excludes entries without tags if tags are required', () => {
  expect(compileFilter({ tags: { include: ['a'] } })({ ...entry, tags: [] })).toBe('tags.include: no tag matches');
});

it('matches the path of a file, and its name with and without the namespace', () => {
  const file = { key: 'servers/internal/fetch.yaml', name: 'com.example/fetch', tags: [] };
  const leftOut = (pattern: string, given = file) =>
    compileFilter({ names: { exclude: [pattern] } })(given) !== undefined;
  expect(['servers/internal/*', '*.yaml', 'com.example/*', 'fetch'].filter((each) => !leftOut(each))).toEqual([]);
  expect(['internal', 'fetch.yaml', 'com.example'].filter((each) => leftOut(each))).toEqual([]);
  expect(leftOut('fetch', { ...file, key: 'com.example/fetch' }), 'no file').toBe(false);
});

it('refuses a malformed pattern', () => {
  expect(() => compileFilter({ names: { include: ['[a'] } })).toThrow(SyntaxError);
});
