import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fileSource } from './file.source.js';
import { createSourceContext } from './testing/source-context.js';
import type { TestContext } from './testing/source-context.js';

let context: TestContext;

beforeEach(async () => {
  context = await createSourceContext();
});

afterEach(() => context[Symbol.asyncDispose]());

it('copies the file, and has a new revision after it was written again', async () => {
  const path = join(context.directory, 'registry.json');
  await writeFile(path, 'a');
  const first = await fileSource.resolve({ path }, context);
  await fileSource.download({ path }, first, context.target, context);
  expect(await readFile(context.target, 'utf8')).toBe('a');
  await writeFile(path, 'b');
  expect((await fileSource.resolve({ path }, context)).revision).not.toBe(first.revision);
});

it('follows the links of a mounted ConfigMap, also to a new version', async () => {
  const mount = join(context.directory, 'mount');
  for (const version of ['v1', 'v2']) {
    await mkdir(join(mount, version), { recursive: true });
    await writeFile(join(mount, version, 'registry.json'), version);
  }
  await symlink('v1', join(mount, '..data'));
  await symlink('..data/registry.json', join(mount, 'registry.json'));
  const spec = { path: join(mount, 'registry.json') };
  const first = await fileSource.resolve(spec, context);
  await symlink('v2', join(mount, '..next'));
  await rename(join(mount, '..next'), join(mount, '..data'));
  const second = await fileSource.resolve(spec, context);
  expect(second.revision).not.toBe(first.revision);
  await fileSource.download(spec, second, context.target, context);
  expect(await readFile(context.target, 'utf8')).toBe('v2');
});

it('reports a missing file, and similar names', async () => {
  await writeFile(join(context.directory, 'registry.json'), '{}');
  const path = join(context.directory, 'registy.json');
  await expect(fileSource.resolve({ path }, context)).rejects.toMatchObject({
    reason: 'FileNotFound',
    destiny: 'wait',
    message: `${path} does not exist. Did you mean ${join(context.directory, 'registry.json')}?`,
  });
});

it.each([
  ['dead.json', 'is a broken link'],
  ['current/registry.json', 'lies behind "current", a broken link'],
])('reports that %s %s, and does not suggest it', async (file, words) => {
  await symlink('nothing', join(context.directory, file.split('/')[0] as string));
  const path = join(context.directory, file);
  await expect(fileSource.resolve({ path }, context)).rejects.toMatchObject({
    reason: 'FileNotFound',
    destiny: 'wait',
    message: `${path} ${words}: replace it with the file itself.`,
  });
});
