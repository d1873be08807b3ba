import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cachedPath } from './cache-folder.js';
import { findOnPath } from './find-on-path.js';
import { obtain } from './obtain-tool.js';
import type { Tool } from './tool.js';

const quiet = { step: () => {}, done: () => {} };
const neverAborted = new AbortController().signal;
const python = findPythonWithPip();

let root: string;
let bin: string;
let digest: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'python-package-'));
  bin = join(root, 'bin');
  await mkdir(bin);
  await mkdir(join(root, 'index'));
  vi.stubEnv('GOROOT', join(root, 'no-go'));
  vi.stubEnv('XDG_CACHE_HOME', join(root, 'cache'));
  vi.stubEnv('DEVSTACK_PUPPET', undefined);
  // The real pip, with a folder instead of its index.
  vi.stubEnv('PIP_NO_INDEX', '1');
  vi.stubEnv('PIP_FIND_LINKS', join(root, 'index'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true, force: true });
});

function puppet(sha256: readonly string[]): Tool {
  return {
    name: 'puppet',
    version: '1.2',
    variable: 'DEVSTACK_PUPPET',
    proofs: [],
    archives: {},
    package: { project: 'puppet-bin', version: '1.2', script: 'puppet', sha256 },
    go: { module: join(root, 'module'), package: 'example.org/puppet', stamps: {} },
    remedies: [],
  };
}

const get = (tool: Tool) => obtain(tool, { progress: quiet, signal: neverAborted });

describe.skipIf(python === undefined)('the Python package (needs python3 with pip)', () => {
  beforeEach(async () => {
    digest = await buildWheel();
    await symlink((await findOnPath('sh'))[0]!, join(bin, 'sh'));
  });

  it('is installed by pip, proven and kept, so that the second time needs no installer', async () => {
    await putInstaller('pip', '-m pip');
    vi.stubEnv('PATH', bin);
    const path = await get(puppet(['0'.repeat(64), digest]));
    expect(path).toBe(cachedPath(join(root, 'cache/mcp-registry-operator'), puppet([])));
    expect(await readFile(path, 'utf8')).toContain('puppet 1.2');

    await rm(join(bin, 'pip'));
    expect(await get(puppet([digest]))).toBe(path);
  });

  it('is installed despite settings of the user that conflict with a separate folder', async () => {
    await putInstaller('pip', '-m pip');
    vi.stubEnv('PATH', bin);
    vi.stubEnv('PIP_USER', '1');
    vi.stubEnv('PIP_REQUIRE_VIRTUALENV', '1');
    await expect(get(puppet([digest]))).resolves.toContain('puppet');
  });

  it('is installed by python3 if pip is not a command', async () => {
    await putInstaller('python3', '');
    vi.stubEnv('PATH', bin);
    await expect(get(puppet([digest]))).resolves.toContain('puppet');
  });

  it('is installed by the next installer when the first does not work', async () => {
    await writeProgram(join(bin, 'pip'), '#!/bin/sh\necho "pip is broken" >&2\nexit 1\n');
    await putInstaller('python3', '');
    vi.stubEnv('PATH', bin);
    await expect(get(puppet([digest]))).resolves.toContain('puppet');
  });

  it('is rejected if its digest differs, and nothing of it is kept', async () => {
    await putInstaller('pip', '-m pip');
    vi.stubEnv('PATH', bin);
    await expect(get(puppet(['0'.repeat(64)]))).rejects.toThrow(/Python package: pip: .*(hash|HASH)/i);
    expect(await readdir(join(root, 'cache/mcp-registry-operator'))).toEqual([]);
  });
});

it('reports which installers would help if there is none', async () => {
  vi.stubEnv('PATH', bin);
  await expect(get(puppet(['0'.repeat(64)]))).rejects.toThrow(
    /Python package: neither pip nor uv is on PATH[^]*install Python 3 with pip/,
  );
});

/** Writes a command that calls the real interpreter, because PATH contains nothing else in these tests. */
async function putInstaller(name: string, args: string): Promise<void> {
  await writeProgram(join(bin, name), `#!/bin/sh\nexec "${python}" ${args} "$@"\n`);
}

async function writeProgram(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  await chmod(path, 0o755);
}

/** Builds a wheel whose script prints its version (PEP 427), and returns its digest. */
async function buildWheel(): Promise<string> {
  const wheel = join(root, 'index/puppet_bin-1.2-py3-none-any.whl');
  const files = {
    'puppet_bin-1.2.data/scripts/puppet': '#!/bin/sh\necho "puppet 1.2"\n',
    'puppet_bin-1.2.dist-info/METADATA': 'Metadata-Version: 2.1\nName: puppet-bin\nVersion: 1.2\n',
    'puppet_bin-1.2.dist-info/WHEEL': 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    'puppet_bin-1.2.dist-info/RECORD': '',
  };
  for (const [name, text] of Object.entries(files)) await writeProgram(join(root, 'wheel', name), text);
  const pack =
    'import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1], "w")\nfor f in sys.argv[2:]: z.write(f)\nz.close()';
  execFileSync(python!, ['-c', pack, wheel, ...Object.keys(files)], { cwd: join(root, 'wheel') });
  return createHash('sha256')
    .update(await readFile(wheel))
    .digest('hex');
}

function findPythonWithPip(): string | undefined {
  try {
    const print = 'import pip, sys; print(sys.executable)';
    return execFileSync('python3', ['-c', print], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
