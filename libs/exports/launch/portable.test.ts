import { expect, it } from 'vitest';
import { isPinned } from './portable.js';

const isExact = (registryType: string, version?: string, identifier = 'x') =>
  isPinned({ registryType, identifier, transport: { type: 'stdio' }, ...(version !== undefined && { version }) });

it.each([
  ['npm', ['1.0.0', '0.1.2-rc.1', '1.0.0+b.1']],
  ['pypi', ['1', '1.0', '2024.1.1', '1.0rc1', '1.0.post1', '1.0.dev3', '1!2.0', '1.0+local.1']],
  ['nuget', ['1.0', '1.0.0', '1.2.3.4', '1.0.0-beta.1']],
])('takes an exact version of %s for pinned', (type, versions) => {
  expect(versions.filter((version) => !isExact(type, version))).toEqual([]);
});

it.each(['npm', 'pypi', 'nuget', 'cargo', 'oci'])('takes no range, wildcard or tag of %s for pinned', (type) => {
  const moving = [
    '^1.0.0',
    '~1.0',
    '*',
    '1.x',
    '1.*',
    '1.0.*',
    '>0',
    '1||2',
    '1 - 2',
    '=1.0.0',
    '[1.0,2.0)',
    '(1.0.0',
    '',
  ];
  const tags = ['latest', 'next', 'beta', 'canary', 'lts', 'my-tag', 'v1-latest'];
  expect([...moving, ...tags, '1.0.0\n'].filter((version) => isExact(type, version))).toEqual([]);
  expect(isExact(type)).toBe(false);
});

it('takes fewer than three numbers of npm for a range', () => {
  expect(['1', '1.0', '01.0.0'].filter((version) => isExact('npm', version))).toEqual([]);
});

it('demands the digest of an image', () => {
  expect(isExact('oci', '1.0.0')).toBe(false);
  expect(isExact('oci', undefined, 'ghcr.io/a/b:1.0.0')).toBe(false);
  expect(isExact('oci', undefined, `ghcr.io/a/b@sha256:${'0'.repeat(64)}`)).toBe(true);
  expect(isExact('oci', undefined, 'ghcr.io/a/b@sha256:0')).toBe(false);
});
