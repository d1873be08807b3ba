import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildFromGo } from './build-from-go.js';
import { findOnPath } from './find-on-path.js';
import { tools } from './tools.js';
import type { Tool } from './tool.js';

const greeting = `package main

import "os"

var version = "?"

func main() { os.Stdout.WriteString(version) }
`;

const hasGo = (await findOnPath('go')).length > 0;

let root: string;
let folder: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'build-from-go-'));
  folder = join(root, 'work');
  await mkdir(folder);
  await writeFile(join(root, 'go.mod'), 'module example.org/greeter\n\ngo 1.21\n');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true, force: true });
});

function greeter(): Tool {
  return {
    ...tools.etcd,
    name: 'greeter',
    go: { module: root, package: 'example.org/greeter', stamps: { 'main.version': '1.2' } },
  };
}

// Skipped without Go, because the build is then refused; obtain-tool.test.ts covers that.
describe.skipIf(!hasGo)('a build with Go', () => {
  it('creates a program that knows its version, and reports progress', async () => {
    await writeFile(join(root, 'main.go'), greeting);
    // Flags that a user has set for other projects must not break this build.
    vi.stubEnv('GOFLAGS', '-mod=vendor');
    const steps: string[] = [];
    const progress = { step: (text: string) => void steps.push(text), done: () => {} };
    const path = await buildFromGo(greeter(), folder, { progress, signal: new AbortController().signal });
    expect(path).toBe(join(folder, 'greeter'));
    expect(execFileSync(path, { encoding: 'utf8' })).toBe('1.2');
    expect(steps).toContainEqual(expect.stringMatching(/^building greeter with Go: \d+ packages/));
    expect(await readdir(folder)).toEqual(['greeter']);
  });

  it('fails with the output of the compiler', async () => {
    await writeFile(join(root, 'main.go'), 'package main\n\nfunc main() { undefinedThing() }\n');
    const progress = { step: () => {}, done: () => {} };
    const building = buildFromGo(greeter(), folder, { progress, signal: new AbortController().signal });
    await expect(building).rejects.toThrow(/undefined: undefinedThing/);
  });

  it('stops when interrupted', async () => {
    await writeFile(join(root, 'main.go'), 'package main\n\nfunc main() {}\n');
    const interruption = new AbortController();
    const step = (text: string) => {
      if (text.includes('packages')) interruption.abort(new Error('interrupted by the test'));
    };
    const building = buildFromGo(greeter(), folder, {
      progress: { step, done: () => {} },
      signal: interruption.signal,
    });
    await expect(building).rejects.toThrow('interrupted by the test');
    expect(await readdir(folder)).not.toContain('greeter');
  });
});
