import { describe, expect, it } from 'vitest';
import { isWholeRegistry } from './served-registry.js';
import type { ServedRegistry } from './served-registry.js';

const registry: ServedRegistry = {
  namespace: 'default',
  name: 'team',
  sources: ['first'],
  auth: { mode: 'anonymous' },
};
const view = (name: string) => [{ name, sources: ['first'] }];

describe('a name in a path', () => {
  it.each([
    ['the registry itself', registry, true],
    ['a source of that name', { ...registry, sources: ['first', 'team'] }, false],
    ['a view of that name', { ...registry, views: view('team') }, false],
    ['a source of that name, where only views are served', { ...registry, sources: ['team'], views: view('v') }, true],
  ])('means %s', (_, served, expected) => {
    expect(isWholeRegistry(served, 'team')).toBe(expected);
  });

  it('that is not the registry’s own refers to a part of it', () => {
    expect(isWholeRegistry(registry, 'other')).toBe(false);
  });
});
