import { describe, expect, it } from 'vitest';
import { hasCredentials, rewriteUrl, ruleFault } from './rewrite-url.js';

const rules = [
  { from: 'https://git.example.com/', to: 'https://mirror.example/' },
  { from: 'https://git.example.com/team/', to: 'file:///srv/team/' },
  { from: 'https://git.example.com/team/one.git', to: 'https://bot:TOKEN@mirror.corp/one.git' },
  { from: 'git@git.example.com:', to: 'https://mirror.example/ssh' },
  { from: 'https://api.example/base', to: 'https://b.example/api?key=1' },
];

describe('an address', () => {
  it.each([
    ['https://git.example.com/other/x.git', 'https://mirror.example/other/x.git'],
    ['https://GIT.example.com:443/other/x.git', 'https://mirror.example/other/x.git'],
    ['https://git.example.com/team/x.git', 'file:///srv/team/x.git'],
    ['https://git.example.com/team/one.git', 'https://bot:TOKEN@mirror.corp/one.git'],
    ['https://git.example.com/team/../other/x.git', 'https://mirror.example/other/x.git'],
    ['git@git.example.com:team/x.git', 'https://mirror.example/ssh/team/x.git'],
    ['ssh://git@git.example.com:22/team/x.git', 'https://mirror.example/ssh/team/x.git'],
    ['https://api.example/base/v0/servers?limit=1', 'https://b.example/api/v0/servers?key=1&limit=1'],
  ])('uses the rule with the longest path: %s to %s', (url, target) => {
    expect(rewriteUrl(url, rules)).toBe(target);
    expect(rewriteUrl(url, rules.toReversed())).toBe(target);
  });

  it.each([
    'https://example.org/x.git',
    'https://git.example.com.evil.example/x.git',
    'https://git.example.com@evil.example/x.git',
    'https://git.example.community/x.git',
    'https://git.example.com:8443/x.git',
    'http://git.example.com/x.git',
    'ssh://other@git.example.com/x.git',
    'git@git.example.com.evil.example:x.git',
    'https://api.example/baseline/v0/servers',
  ])('of another origin or folder is unchanged: %s', (url) => {
    expect(rewriteUrl(url, rules)).toBe(url);
  });

  it.each([
    'git@git.example.com:team/../../etc',
    'https://git.example.com/team/%2e%2e%2f%2e%2e/etc',
    'https://git.example.com/team/..%2f..%2fetc',
    'https://git.example.com/team/..%5c..%5cetc',
  ])('cannot leave the folder: %s', (url) => {
    expect(() => rewriteUrl(url, rules)).toThrow('not rewritten');
  });
});

describe('a rule', () => {
  it.each(['', 'https://', 'nonsense'])('needs a URL on both sides: %j', (text) => {
    expect(ruleFault({ from: text, to: 'https://a.example' })).toContain('must begin');
    expect(ruleFault({ from: 'https://a.example', to: text })).toContain('must be replaced');
  });

  it.each(['https://bot:token@a.example/', 'https://bot@a.example/', 'https://bot:to/ken@a.example'])(
    'is recognized as having credentials: %s',
    (to) => expect(hasCredentials({ from: 'https://b.example', to })).toBe(true),
  );

  it('may contain the user of ssh', () => {
    expect(hasCredentials({ from: 'git@a.example:', to: 'https://b.example' })).toBe(false);
  });
});
