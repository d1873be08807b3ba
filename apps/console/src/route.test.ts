import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { choose, countChosen, EVERYTHING, FACETS, formatRoute, parseRoute, toggle } from './route.js';
import type { FacetName, Route } from './route.js';

const text = fc.string({ unit: 'grapheme', minLength: 1 }).map((value) => value.toWellFormed());
const values = fc.uniqueArray(text, { minLength: 1, maxLength: 5 });
const chosen = fc.dictionary(fc.constantFrom(...FACETS), values).map((groups) =>
  // In the order of the URL, so that routes can be compared.
  Object.fromEntries(FACETS.flatMap((facet) => (groups[facet] ? [[facet, groups[facet]]] : []))),
);

const anyRoute: fc.Arbitrary<Route> = fc.oneof(
  fc.record({
    page: fc.constant('servers' as const),
    search: fc.record({ text: fc.oneof(fc.constant(''), text), chosen }),
  }),
  fc.record({ page: fc.constant('server' as const), name: text }),
  fc.record({ page: fc.constant('server' as const), name: text, version: text }),
  fc.record({ page: fc.constant('sources' as const) }),
  fc.record({ page: fc.constant('source' as const), name: text }),
  fc.record({ page: fc.constant('help' as const) }),
);

describe('a route', () => {
  it('is parsed back to the same route, whatever its names and texts', () => {
    fc.assert(
      fc.property(anyRoute, (route) => {
        expect(parseRoute(formatRoute(route))).toEqual(route);
      }),
    );
  });

  it('survives as the fragment of a URL that a browser parses', () => {
    fc.assert(
      fc.property(anyRoute, (route) => {
        const { hash } = new URL(formatRoute(route), 'https://registry.example.com/x/y/');
        expect(parseRoute(hash)).toEqual(route);
      }),
    );
  });

  it('is found for every fragment, and its URL leads to itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (fragment) => {
        const route = parseRoute(`#${fragment}`);
        if (route.page !== 'missing') expect(parseRoute(formatRoute(route))).toEqual(route);
      }),
    );
  });

  it.each([
    ['', { page: 'servers', search: EVERYTHING }],
    ['#', { page: 'servers', search: EVERYTHING }],
    ['#/', { page: 'servers', search: EVERYTHING }],
    ['#/servers', { page: 'servers', search: EVERYTHING }],
    ['#/?q=a+b&tag=x&tag=y,z', { page: 'servers', search: { text: 'a b', chosen: { tag: ['x', 'y,z'] } } }],
    ['#/?unknown=1&tag=', { page: 'servers', search: EVERYTHING }],
    ['#/?tag=x&tag=x', { page: 'servers', search: { text: '', chosen: { tag: ['x'] } } }],
    ['#/servers/com.example/weather', { page: 'server', name: 'com.example/weather' }],
    [
      '#/servers/com.example%2Fweather?version=1.0.0%2Bbuild',
      { page: 'server', name: 'com.example/weather', version: '1.0.0+build' },
    ],
    ['#/sources', { page: 'sources' }],
    ['#/sources/', { page: 'sources' }],
    ['#/sources/ours', { page: 'source', name: 'ours' }],
    ['#/help', { page: 'help' }],
    ['#/servers/%E0%A4%A', { page: 'missing' }],
    ['#/elsewhere', { page: 'missing' }],
    ['#/help/more', { page: 'missing' }],
  ])('%s', (fragment, route) => {
    expect(parseRoute(fragment)).toEqual(route);
  });
});

describe('a choice', () => {
  const facet: FacetName = 'tag';

  it('is undone by the same click', () => {
    const once = toggle({ text: 'x', chosen: { source: ['ours'] } }, facet, 'a');
    expect(once).toEqual({ text: 'x', chosen: { source: ['ours'], tag: ['a'] } });
    expect(toggle(once, facet, 'a')).toEqual({ text: 'x', chosen: { source: ['ours'] } });
  });

  it('counts each value', () => {
    expect(countChosen(toggle(toggle(choose(EVERYTHING, 'status', ['active']), facet, 'a'), facet, 'b'))).toBe(3);
  });
});
