import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shortNames } from './short-names.js';
import { sha256 } from './testing/random-entries.js';

const one = (name: string) => shortNames([name], sha256).get(name);

describe('a short name', () => {
  it.each([
    ['com.example/weather', 'example-weather'],
    ['io.github.acme/acme-search', 'acme-search'],
    ['io.github.acme/acme', 'acme'],
    ['com.notion/mcp', 'notion'],
    ['io.github.stacklok/fetch', 'fetch'],
    ['com.gitlab.acme/mcp-server', 'acme'],
    ['com.github/x', 'github-x'],
    ['com.Example.Big_Co/My.Tool', 'example-big-co-my-tool'],
    ['a/b', 'a-b'],
    ['io.x/api', 'x-mcp'],
  ])('of %s is %s', (name, short) => {
    expect(one(name)).toBe(short);
  });

  it('has a hash if it is long or reserved', () => {
    expect(one(`io.long/${'n'.repeat(100)}`)).toMatch(/^long-n{28}-[0-9a-f]{6}$/);
    expect(one('io.github.stacklok/ide')).toMatch(/^ide-[0-9a-f]{6}$/);
    expect(one('io.github.stacklok/mcp')).toMatch(/^mcp(-[0-9a-f]{6})?$/);
  });

  it('has a hash for every name of a group that would be equal, in any order', () => {
    const names = shortNames(['com.a.b/c', 'com.a/b-c', 'com.other/x'], sha256);
    expect(names.get('com.a.b/c')).toMatch(/^a-b-c-[0-9a-f]{6}$/);
    expect(names.get('com.a/b-c')).toMatch(/^a-b-c-[0-9a-f]{6}$/);
    expect(names.get('com.a.b/c')).not.toBe(names.get('com.a/b-c'));
    expect(names.get('com.other/x')).toBe('other-x');
  });

  const part = fc.constantFrom('a', 'b', 'a-b', 'A', 'a_b', 'github', 'mcp', 'server', 'x'.repeat(50), '1', '-', '.');
  const name = fc
    .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), part)
    .map(([labels, leaf]) => `${labels.join('.')}/${leaf}`);

  it('is unique and valid in every client, and a new entry renames only those that it collides with', () => {
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 12 }), name, (names, added) => {
        const before = shortNames(names, sha256);
        for (const short of before.values()) {
          expect(short).toMatch(/^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$/);
          expect(short).not.toContain('--');
        }
        expect(new Set(before.values()).size).toBe(before.size);
        expect(shortNames(names.toReversed(), sha256)).toEqual(new Map([...before].toReversed()));
        const after = shortNames([...names, added], sha256);
        const alone = one(added);
        for (const [each, short] of before) {
          if (after.get(each) !== short) expect(short).toBe(alone);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
