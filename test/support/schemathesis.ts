import { execFile } from 'node:child_process';
import { access, mkdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

const VERSION = '4.32.5';

/**
 * Returns the path of the command `schemathesis`: the one in SCHEMATHESIS, or one that is installed to the cache folder
 * with Python. Undefined without Python.
 */
export async function findSchemathesis(): Promise<string | undefined> {
  const named = process.env['SCHEMATHESIS'];
  if (named) return named;
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'mcp-registry-operator');
  const folder = join(cache, `schemathesis-${VERSION}`);
  const command = join(folder, 'bin', 'schemathesis');
  if (await exists(command)) return command;
  if (!(await runs('python3', ['-m', 'venv', '--help']))) return undefined;
  // Install directly to the final folder: the scripts of a virtual environment contain its path, so it cannot be moved.
  // If the command is missing, the folder is created again.
  await mkdir(cache, { recursive: true });
  await rm(folder, { recursive: true, force: true });
  await exec('python3', ['-m', 'venv', folder]);
  await exec(join(folder, 'bin', 'pip'), [
    'install',
    '--quiet',
    '--disable-pip-version-check',
    `schemathesis==${VERSION}`,
  ]);
  return command;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function runs(command: string, args: readonly string[]): Promise<boolean> {
  return exec(command, args).then(
    () => true,
    () => false,
  );
}
