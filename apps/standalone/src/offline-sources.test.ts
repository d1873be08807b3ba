import { expect, it } from 'vitest';
import { hostOf, isOffline } from './offline-sources.js';

it.each([
  ['https://github.com/stacklok/toolhive-catalog.git', 'github.com'],
  ['ssh://git@git.example.com:2222/team/x.git', 'git.example.com'],
  ['git@git.example.com:team/x.git', 'git.example.com'],
  ['ConfigMap catalogue, key registry.json', undefined],
  ['file:///srv/catalogue.git', undefined],
  ['published here', undefined],
  [undefined, undefined],
])('reads the host of %s', (address, host) => {
  expect(hostOf(address)).toBe(host);
});

it('never counts a source as offline that needs no network or whose host resolves', async () => {
  const ref = { namespace: 'default', name: 'team', uid: '6f1c5a52-52c5-4f0e-8f53-0f3b8f1c9a11' };
  const spec = {
    auth: { mode: 'anonymous' },
    registries: [
      { name: 'near', api: { endpoint: 'http://localhost:1' }, syncPolicy: { interval: '30m' } },
      { name: 'mirrored', api: { endpoint: 'https://catalogue.invalid/mcp' }, syncPolicy: { interval: '30m' } },
      { name: 'mounted', configMapRef: { name: 'catalogue', key: 'registry.json' } },
    ],
  };
  expect(await isOffline({ ref, spec }, 'near', [])).toBe(false);
  expect(await isOffline({ ref, spec }, 'mounted', [])).toBe(false);
  const rewrites = [{ from: 'https://catalogue.invalid/', to: 'http://localhost:1/' }];
  expect(await isOffline({ ref, spec }, 'mirrored', rewrites)).toBe(false);
  expect(await isOffline({ ref, spec }, 'no such source', [])).toBe(false);
});
