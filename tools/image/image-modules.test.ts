import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isNeeded, productionPackages } from './image-modules.js';

it('contains what runs in production and its dependencies, but neither Node nor compilers and bundlers', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lock-'));
  try {
    const packages = {
      '': {
        dependencies: { pg: '1', worker: '1' },
        optionalDependencies: { node: '1' },
        devDependencies: { vitest: '1' },
      },
      'node_modules/pg': { dependencies: { inner: '1', outer: '1', '@types/pg': '1' } },
      'node_modules/pg/node_modules/inner': { dependencies: { outer: '2', beside: '1' } },
      'node_modules/pg/node_modules/beside': { optionalDependencies: { 'for-another-platform': '1' } },
      'node_modules/outer': { dependencies: { pg: '1' } },
      'node_modules/beside': {},
      'node_modules/for-another-platform': {},
      'node_modules/worker': { dependencies: { webpack: '1', '@swc/core': '1' } },
      'node_modules/webpack': { dependencies: { terser: '1' } },
      'node_modules/terser': {},
      'node_modules/@swc/core': {},
      'node_modules/@types/pg': {},
      'node_modules/node': {},
      'node_modules/vitest': {},
    };
    await writeFile(join(directory, 'lock.json'), JSON.stringify({ packages }));
    expect(await productionPackages(join(directory, 'lock.json'))).toEqual([
      'node_modules/for-another-platform',
      'node_modules/outer',
      'node_modules/pg',
      'node_modules/pg/node_modules/beside',
      'node_modules/pg/node_modules/inner',
      'node_modules/worker',
    ]);
  } finally {
    await rm(directory, { recursive: true });
  }
});

it.each([
  ['pg/lib/index.js', true],
  ['pg/package.json', true],
  ['pg/LICENSE.md', true],
  ['pg/README.md', false],
  ['pg/lib/index.js.map', false],
  ['zod/index.d.cts', false],
  ['protobufjs/src/root.js', true],
  ['typeorm/browser/index.js', false],
  ['typeorm/docs/index.js', false],
  ['some/lib/docs/index.js', true],
  ['@temporalio/core-bridge/releases/here/index.node', true],
  ['@temporalio/core-bridge/releases/elsewhere/index.node', false],
])('%s: %s', (path, needed) => {
  expect(isNeeded(path, 'here')).toBe(needed);
});
