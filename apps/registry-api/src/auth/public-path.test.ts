import { expect, it } from 'vitest';
import { isPublicPath } from './public-path.js';

const PATHS = ['/registry/open', '/v0.1/servers/'];

it.each([
  '/registry/open',
  '/registry/open/',
  '/registry/open/v0.1/servers?cursor=a%2Fb',
  '/v0.1/servers',
  '/v0.1/servers?search=x/../y',
])('%s is public', (url) => {
  expect(isPublicPath(url, PATHS)).toBe(true);
});

it.each([
  '/',
  '/registry',
  '/registry/opener',
  '/registry/Open',
  '/registry/open/../inner/v0.1/servers',
  '/registry/open/./v0.1',
  '/registry/open//v0.1',
  '//registry/open',
  '/registry/open%2Fv0.1',
  '/registry/open/v0%2E1/servers',
  '/registry/%6Fpen',
  'registry/open',
  'http://registry/open',
  '/x/registry/open',
])('%s is not public', (url) => {
  expect(isPublicPath(url, PATHS)).toBe(false);
});

it('opens everything for the root path, and nothing without a path', () => {
  expect(isPublicPath('/registry/inner/v0.1/servers', ['/'])).toBe(true);
  expect(isPublicPath('/', [])).toBe(false);
});
