import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cachedPath, keepInCache, removeAbandoned } from './cache-folder.js';
import { tools } from './tools.js';

const tool = tools.etcd;
let root: string;
let cache: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cache-folder-'));
  cache = join(root, 'mcp-registry-operator');
  vi.stubEnv('XDG_CACHE_HOME', root);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true, force: true });
});

async function makeEtcd(folder: string): Promise<string> {
  await writeFile(join(folder, 'etcd'), 'binary');
  return join(folder, 'etcd');
}

describe('keepInCache', () => {
  it('keeps the old program if creating a new one fails', async () => {
    const kept = await keepInCache(tool, makeEtcd);
    const failing = keepInCache(tool, async (folder) => {
      await makeEtcd(folder);
      throw new Error('no space');
    });
    await expect(failing).rejects.toThrow('no space');
    expect(kept).toBe(cachedPath(cache, tool));
    expect(await readdir(join(kept, '..'))).toEqual(['etcd']);
    expect(await readdir(cache)).toHaveLength(1);
  });

  it('uses a private folder of the machine if the home is not writable', async () => {
    await writeFile(join(root, 'file'), '');
    vi.stubEnv('XDG_CACHE_HOME', join(root, 'file/not-a-folder'));
    const kept = await keepInCache({ ...tool, name: 'etcd', version: `test-${process.pid}` }, makeEtcd);
    expect(kept).toMatch(/^\/var\/tmp\/mcp-registry-operator-\d+\//);
    await rm(join(kept, '..'), { recursive: true });
    // An empty folder was created by this test. `rmdir` fails for any other.
    await rmdir(join(kept, '../..')).catch(() => {});
  });
});

it('removes what a killed process left behind, but nothing of one that still runs', async () => {
  const { pid: ended } = spawnSync('/bin/sh', ['-c', 'true']);
  const abandoned = `.work-${hostname()}-${ended}-abcdef`;
  const inUse = `.work-${hostname()}-${process.ppid}-abcdef`;
  const elsewhere = `.work-another-host-${ended}-abcdef`;
  await removeAbandoned();
  for (const folder of [abandoned, inUse, elsewhere]) await mkdir(join(cache, folder), { recursive: true });
  await removeAbandoned();
  expect((await readdir(cache)).sort()).toEqual([inUse, elsewhere].sort());
});
