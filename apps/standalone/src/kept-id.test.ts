import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ensureInstanceId, ensureReferenceKey } from './kept-id.js';

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'instance-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

it.each([ensureInstanceId, ensureReferenceKey])(
  '%o is the same for one data directory and differs between two',
  async (ensure) => {
    const [here, there] = [await makeDirectory(), await makeDirectory()];
    const id = await ensure(here);
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(await ensure(here)).toBe(id);
    expect(await ensure(there)).not.toBe(id);
  },
);

it('makes its key readable only to its user, and the key is not the public id', async () => {
  const directory = await makeDirectory();
  expect(await ensureReferenceKey(directory)).not.toBe(await ensureInstanceId(directory));
  expect((await stat(join(directory, 'reference-key'))).mode & 0o077).toBe(0);
});
