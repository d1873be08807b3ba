import { describe, expect, it } from 'vitest';
import { EVERYTHING } from '../route.js';
import { facetsPath, listPath, toRow, versionsPath } from './servers.js';

describe('the path of', () => {
  it('a search combines alternatives and sends tags separately', () => {
    const search = { text: 'a&b', chosen: { tag: ['x', 'y'], source: ['ours'], remote: ['only'] } };
    const query = new URLSearchParams(listPath(search, { limit: 50 }).split('?')[1]);
    expect(Object.fromEntries(query)).toEqual({
      version: 'latest',
      search: 'a&b',
      source: 'ours',
      remote: 'only',
      tag_any: 'x,y',
      limit: '50',
    });
    expect(facetsPath(search)).toBe(
      'v0.1/x/io.github.mcp-registry-operator/facets?version=latest&search=a%26b&source=ours&remote=only&tag_any=x%2Cy',
    );
  });

  it('a search is not longer than the API accepts', () => {
    const query = new URLSearchParams(listPath({ text: 'x'.repeat(300), chosen: {} }, { limit: 1 }).split('?')[1]);
    expect(query.get('search')).toHaveLength(256);
    expect(listPath(EVERYTHING, { limit: 1, cursor: 'a+b' })).toBe('v0.1/servers?version=latest&limit=1&cursor=a%2Bb');
  });

  it.each(['../../v1/me', 'a/b?c', 'a#b', 'https://evil.example'])('server %s stays one path segment', (name) => {
    const { pathname, origin } = new URL(versionsPath(name), 'http://registry.example/x/');
    expect(origin).toBe('http://registry.example');
    expect(pathname).toMatch(/^\/x\/v0\.1\/servers\/[^/]+\/versions$/);
  });
});

it('keeps only the data of an entry that its row shows', () => {
  const row = toRow({
    server: {
      name: 'com.example/x',
      version: '1',
      description: 'd'.repeat(1_000_000),
      remotes: [{ type: 'sse', url: 'https://x' }],
    },
    _meta: { 'io.modelcontextprotocol.registry/official': { status: 'deprecated', statusMessage: 'use y' } },
  });
  expect(row).toMatchObject({
    name: 'com.example/x',
    status: 'deprecated',
    statusMessage: 'use y',
    isRemote: true,
    isLocal: false,
    isSecretFree: true,
  });
  expect(JSON.stringify(row).length).toBeLessThan(1000);
});
