import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ensureInstanceId } from './instance-id.js';

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'instance-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

it('stays the same for one data directory and differs between two', async () => {
  const [here, there] = [await makeDirectory(), await makeDirectory()];
  const id = await ensureInstanceId(here);
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(await ensureInstanceId(here)).toBe(id);
  expect(await ensureInstanceId(there)).not.toBe(id);
});
