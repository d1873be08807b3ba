import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { pvcSource } from './pvc.source.js';
import type { SourceContext } from './context.js';
import { createSourceContext } from './testing/source-context.js';
import type { TestContext } from './testing/source-context.js';

let context: TestContext;
let mounted: SourceContext;
let volume: string;

beforeEach(async () => {
  context = await createSourceContext({ maxFileBytes: 1_000 });
  volume = join(context.directory, 'volume');
  await mkdir(join(volume, 'sub'), { recursive: true });
  mounted = context.with({ volumes: new Map([['data', volume]]) });
});

afterEach(() => context[Symbol.asyncDispose]());

function spec(fields: Record<string, unknown> = {}) {
  return pvcSource.spec.parse({ claimName: 'data', ...fields });
}

async function fetched(fields: Record<string, unknown> = {}): Promise<string> {
  const given = spec(fields);
  await pvcSource.download(given, await pvcSource.resolve(given, mounted), context.target, mounted);
  return readFile(context.target, 'utf8');
}

it('copies the file, also from a folder below', async () => {
  await writeFile(join(volume, 'registry.json'), '{"at":"root"}');
  await writeFile(join(volume, 'sub', 'other.json'), '{"at":"sub"}');
  expect(await fetched()).toBe('{"at":"root"}');
  expect(await fetched({ path: 'sub/other.json' })).toBe('{"at":"sub"}');
});

it('has a new revision exactly when the content changes', async () => {
  const file = join(volume, 'registry.json');
  await writeFile(file, 'a');
  const first = await pvcSource.resolve(spec(), mounted);
  await writeFile(file, 'a');
  expect(await pvcSource.resolve(spec(), mounted)).toEqual(first);
  await writeFile(file, 'b');
  expect((await pvcSource.resolve(spec(), mounted)).revision).not.toBe(first.revision);
  await expect(pvcSource.download(spec(), first, context.target, mounted)).rejects.toMatchObject({
    reason: 'FetchFailed',
    destiny: 'retry',
  });
});

it('reports a claim that is not mounted', async () => {
  await expect(pvcSource.resolve(spec({ claimName: 'absent' }), mounted)).rejects.toMatchObject({
    reason: 'PVCNotFound',
    destiny: 'wait',
    message: expect.stringContaining('--volume absent=DIR'),
  });
});

it('reports a directory that does not exist', async () => {
  const volumes = new Map([['data', join(context.directory, 'nowhere')]]);
  await expect(pvcSource.resolve(spec({ claimName: 'data' }), context.with({ volumes }))).rejects.toMatchObject({
    reason: 'PVCNotFound',
    destiny: 'wait',
    message: expect.stringMatching(/^PersistentVolumeClaim data is expected in .*nowhere, which does not exist/),
  });
});

it('reports a missing file and similar ones', async () => {
  await writeFile(join(volume, 'sub', 'registry.json'), '');
  await writeFile(join(volume, 'registy.json'), '');
  await expect(fetched()).rejects.toMatchObject({
    reason: 'FileNotFound',
    message: expect.stringContaining('registy.json'),
  });
  await expect(fetched({ path: 'sub/registrie.json' })).rejects.toMatchObject({
    reason: 'FileNotFound',
    message: expect.stringContaining('sub/registry.json'),
  });
});

it('follows links inside the volume, but none that lead out of it', async () => {
  const secret = join(context.directory, 'secret.json');
  await writeFile(secret, 'secret');
  await writeFile(join(volume, 'sub', 'real.json'), 'real');
  await symlink('sub/real.json', join(volume, 'inside.json'));
  await symlink(secret, join(volume, 'absolute.json'));
  await symlink('../secret.json', join(volume, 'relative.json'));
  await symlink(context.directory, join(volume, 'folder'));
  await symlink('loop.json', join(volume, 'loop.json'));

  expect(await fetched({ path: 'inside.json' })).toBe('real');
  for (const path of ['absolute.json', 'relative.json', 'folder/secret.json', 'loop.json']) {
    await expect(fetched({ path }), path).rejects.toMatchObject({ reason: 'FileNotFound', destiny: 'wait' });
  }
  // Hints do not contain names from outside the volume either.
  await expect(fetched({ path: 'folder/secre.json' })).rejects.toMatchObject({
    message: expect.not.stringContaining('secret.json'),
  });
});

it.each([
  ['dead.json', 'is a broken link'],
  ['current/registry.json', 'lies behind "current", a broken link'],
])('reports that %s %s, and does not suggest it', async (path, words) => {
  await symlink('nothing', join(volume, path.split('/')[0] as string));
  const message = expect.stringContaining(`${words}: replace it with the file itself.`) as string;
  await expect(fetched({ path })).rejects.toMatchObject({ reason: 'FileNotFound', message });
});

it('rejects folders and pipes without waiting for them', async () => {
  await mkdir(join(volume, 'folder.json'));
  await promisify(execFile)('mkfifo', [join(volume, 'pipe.json')]);
  for (const path of ['folder.json', 'pipe.json']) {
    await expect(fetched({ path }), path).rejects.toMatchObject({ reason: 'FileNotFound' });
  }
});

it('rejects a file above the limit', async () => {
  await writeFile(join(volume, 'registry.json'), 'x'.repeat(1_001));
  await expect(fetched()).rejects.toMatchObject({ reason: 'InvalidData', message: expect.stringContaining('1000') });
});
