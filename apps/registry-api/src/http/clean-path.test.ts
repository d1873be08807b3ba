import { describe, expect, it } from 'vitest';
import { cleanLocation } from './clean-path.js';

const resolve = (path: string, base: string) => new URL(cleanLocation(path, path) ?? '', `${base}${path}`).href;

describe('the clean spelling of a path', () => {
  it.each([
    ['/v0.1/servers/', '/v0.1/servers'],
    ['/v0.1/servers//', '/v0.1/servers'],
    ['//v0.1/servers', '/v0.1/servers'],
    ['///v0.1///servers///', '/v0.1/servers'],
    ['/registry/up//v0.1/servers?limit=1&search=a//b/', '/registry/up/v0.1/servers?limit=1&search=a//b/'],
    ['/v0.1/servers/io.example%2Fone//versions/latest/', '/v0.1/servers/io.example%2Fone/versions/latest'],
    ['/health/', '/health'],
    ['//', '/'],
  ])('of %s is %s, also below the prefix of a proxy', (path, clean) => {
    for (const base of ['https://a.example', 'https://a.example/mcp', 'https://a.example/mcp/x']) {
      expect(resolve(path, base)).toBe(`${base}${clean}`);
    }
  });

  it.each(['/', '/v0.1/servers', '/v0.1/servers?search=a//b', '/v0.1/servers?x=/', '*'])('is %s itself', (path) => {
    expect(cleanLocation(path, path)).toBeUndefined();
  });

  it.each([
    '//evil.example/',
    '//evil.example//x',
    '///evil.example/',
    '/\\evil.example/',
    '//\\evil.example/',
    '/\\\\evil.example//',
    '//https://evil.example/',
    '//evil.example/%2F/..//',
    '/..//evil.example/',
    '/.//evil.example/',
    '//user@evil.example:80/',
  ])('never leads to another host: %s', (path) => {
    for (const base of ['https://a.example', 'https://a.example/mcp']) {
      expect(cleanLocation(path, path)).toMatch(/^\.\.\//);
      expect(new URL(resolve(path, base)).origin).toBe('https://a.example');
    }
  });

  it('keeps the slash after the prefix of a registry, where its page is', () => {
    expect(cleanLocation('/', '/default/open/')).toBeUndefined();
    expect(cleanLocation('//v0.1/servers', '/default/open//v0.1/servers')).toBe(
      '../../../../default/open/v0.1/servers',
    );
  });
});
