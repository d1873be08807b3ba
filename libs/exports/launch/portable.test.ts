import { expect, it } from 'vitest';
import { isPinned } from './portable.js';

const isExact = (registryType: string, version?: string, identifier = 'x') =>
  isPinned({ registryType, identifier, transport: { type: 'stdio' }, ...(version !== undefined && { version }) });

it.each([
  ['npm', ['1.0.0', '0.1.2-rc.1', '1.0.0+b.1']],
  ['pypi', ['1', '1.0', '2024.1.1', '1.0rc1', '1.0.post1', '1.0.dev3', '1!2.0', '1.0+local.1']],
  ['nuget', ['1.0', '1.0.0', '1.2.3.4', '1.0.0-beta.1']],
])('recognizes an exact version of %s as pinned', (type, versions) => {
  expect(versions.filter((version) => !isExact(type, version))).toEqual([]);
});

it.each(['npm', 'pypi', 'nuget', 'cargo', 'oci'])(
  'does not recognize a range, wildcard or tag of %s as pinned',
  (type) => {
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
  },
);

it('treats fewer than three numbers of npm as a range', () => {
  expect(['1', '1.0', '01.0.0'].filter((version) => isExact('npm', version))).toEqual([]);
});

it('requires the digest of an image', () => {
  expect(isExact('oci', '1.0.0')).toBe(false);
  expect(isExact('oci', undefined, 'ghcr.io/a/b:1.0.0')).toBe(false);
  expect(isExact('oci', undefined, `ghcr.io/a/b@sha256:${'0'.repeat(64)}`)).toBe(true);
  expect(isExact('oci', undefined, 'ghcr.io/a/b@sha256:0')).toBe(false);
});

const digest = `docker.io/good/server@sha256:${'0'.repeat(64)}`;
const positional = (...values: string[]) => values.map((value) => ({ type: 'positional' as const, value }));
const named = (name: string, value?: string) => [
  { type: 'named' as const, name, ...(value !== undefined && { value }) },
];

it.each([
  ['npm', '@good/server', named('-y'), true],
  ['npm', '@good/server', positional('--yes'), true],
  ['npm', '@good/server', positional('--package=evil@latest'), false],
  ['npm', '@good/server', named('--package', 'evil@latest'), false],
  ['npm', '@good/server', named('-y', 'evil@latest'), false],
  ['npm', '@good/server', positional('evil@latest'), false],
  ['pypi', 'good-server', named('--from', 'evil'), false],
  ['pypi', 'good-server', named('--with', 'evil'), false],
  ['oci', digest, positional('run', '-i', '--rm'), true],
  [
    'oci',
    digest,
    [...positional('--rm'), ...named('-e', 'MODE=strict'), ...named('--mount', 'type=bind,src=/a,dst=/b')],
    true,
  ],
  ['oci', digest, positional('run', 'evil:latest'), false],
  ['oci', digest, named('--rm', 'evil:latest'), false],
  ['oci', digest, positional('--rm', 'run'), false],
])(
  'of %s is pinned if its runtime arguments start nothing else: %s %j',
  (registryType, identifier, runtimeArguments, is) => {
    const version = registryType === 'oci' ? {} : { version: '1.0.0' };
    expect(isPinned({ registryType, identifier, ...version, runtimeArguments, transport: { type: 'stdio' } })).toBe(is);
  },
);
