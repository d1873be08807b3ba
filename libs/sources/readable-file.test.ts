import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readNamedFile } from './readable-file.js';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'named-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

it('follows links inside of a volume, as created by the kubelet', async () => {
  const path = await folder();
  await writeFile(join(path, '..data'), 'mine');
  await symlink('..data', join(path, 'token'));
  expect(await readNamedFile(join(path, 'token'))).toBe('mine');
});

it.each(['/proc/self/environ', '/proc/self/status', '/sys/kernel/notes', '/dev/null'])(
  'rejects %s, directly or through a link or dots',
  async (target) => {
    const path = await folder();
    await symlink(target, join(path, 'link'));
    for (const name of [target, join(path, 'link'), `${path}/../..${target}`, `//${target}`]) {
      await expect(readNamedFile(name)).rejects.toMatchObject({ code: 'EACCES' });
    }
  },
);
