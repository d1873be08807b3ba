import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findOnPath } from './find-on-path.js';
import type { Progress } from './progress.js';
import { runCommand } from './run-command.js';

/** An executable that the Python package index (PyPI) distributes in wheels, one per platform. */
export interface PythonPackage {
  readonly project: string;
  readonly version: string;
  /** Name of the script that the wheel installs. */
  readonly script: string;
  /** SHA-256 digests of the accepted wheels, in hex. The installer rejects any other file. */
  readonly sha256: readonly string[];
}

/** An installer, with options that isolate it from the user's own Python environment. */
interface Installer {
  readonly label: string;
  readonly command: readonly [string, ...string[]];
}

const PIP = [
  'install',
  '--no-compile',
  '--disable-pip-version-check',
  '--no-input',
  '--progress-bar=off',
  '--retries=1',
];

/** The installers in order of preference. All of them verify digests, and none of them runs code of the package. */
const installers: readonly Installer[] = [
  { label: 'pip', command: ['pip', ...PIP] },
  { label: 'pip3', command: ['pip3', ...PIP] },
  { label: 'python3 -m pip', command: ['python3', '-m', 'pip', ...PIP] },
  { label: 'uv', command: ['uv', 'pip', 'install', '--no-progress'] },
];

/** Timeout for a wheel of some 50 MB on a slow connection. The installers' own timeouts detect silence much earlier. */
const INSTALL_MS = 300_000;

/**
 * Installs a pinned package into `folder` with the first installer that works, and returns the path of its executable.
 * Nothing outside of `folder` changes except the installer's own cache. Rejects with the output of each installer, or
 * with a remedy if the machine has none.
 */
export async function installPythonPackage(
  wheel: PythonPackage,
  folder: string,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<string> {
  const target = join(folder, 'package');
  const requirements = join(folder, 'requirements.txt');
  const digests = wheel.sha256.map((hex) => `--hash=sha256:${hex}`);
  await writeFile(requirements, `${wheel.project}==${wheel.version} ${digests.join(' ')}\n`);

  const failures: string[] = [];
  for (const { label, command } of installers) {
    const [executable] = await findOnPath(command[0]);
    if (executable === undefined) continue;
    progress.step(`installing ${wheel.project} ${wheel.version} with ${label}`);
    const args = ['--no-deps', '--only-binary=:all:', '--require-hashes', `--target=${target}`, '-r', requirements];
    try {
      await runCommand(executable, [...command.slice(1), ...args], {
        signal,
        timeoutMs: INSTALL_MS,
        env: quietEnvironment(folder),
      });
      return join(target, 'bin', wheel.script);
    } catch (error) {
      signal.throwIfAborted();
      failures.push(`${label}: ${(error as Error).message}`);
    }
  }
  throw new Error(failures.join('; ') || 'neither pip nor uv is on PATH');
}

/**
 * Returns variables that override settings of the user that conflict with `--target` or that would leave files outside
 * of `folder`.
 */
function quietEnvironment(folder: string): Record<string, string> {
  return {
    PIP_USER: '0',
    PIP_REQUIRE_VIRTUALENV: '0',
    PIP_DEFAULT_TIMEOUT: '10',
    UV_HTTP_TIMEOUT: '10',
    TMPDIR: folder,
  };
}
