import { existsSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { environment } from './environment.js';
import { findOnPath } from './find-on-path.js';
import type { Progress } from './progress.js';
import { runCommand } from './run-command.js';
import type { Tool } from './tool.js';

/**
 * Compiles the tool from the Go modules pinned by go.mod and go.sum, and returns the path of the executable in
 * `folder`. Takes minutes the first time. The modules are fetched through Go's module proxy and verified with go.sum.
 */
export async function buildFromGo(
  tool: Tool,
  folder: string,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<string> {
  const go = await findGo();
  const cwd = resolve(projectFolder(), 'libs/devstack', tool.go.module);
  const env = {
    // The build must not depend on a C compiler, or on the workspace or flags of the user's own projects.
    CGO_ENABLED: '0',
    GOWORK: 'off',
    GOFLAGS: '-mod=readonly',
    // This folder is always removed, so an interrupted build leaves nothing in /tmp.
    GOTMPDIR: folder,
    ...(await ownGoFolders(dirname(folder))),
  };
  const runGo = (args: string[], onDiagnostic: (line: string) => void) =>
    runCommand(go, args, { cwd, env, signal, onDiagnostic });

  progress.step(`building ${tool.name} with Go: looking for its modules`);
  let modules = 0;
  const list = await runGo(['list', '-deps', tool.go.package], (line) => {
    if (line.startsWith('go: downloading')) progress.step(`building ${tool.name} with Go: module ${++modules}`);
  });
  const packages = list.trim().split('\n').length;

  const executable = join(folder, tool.name);
  const stamps = Object.entries(tool.go.stamps).map(([variable, value]) => `-X ${variable}=${value}`);
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags', ['-s -w', ...stamps].join(' ')];
  progress.step(`building ${tool.name} with Go: ${packages} packages, some minutes the first time`);
  let compiled = 0;
  await runGo(['build', '-v', ...flags, '-o', executable, tool.go.package], (line) => {
    if (line.includes(' ')) return;
    compiled += 1;
    // Packages in Go's own cache are neither compiled nor listed, hence "at most".
    const what = line === tool.go.package ? 'linking' : `compiled ${compiled} of at most ${packages} packages`;
    progress.step(`building ${tool.name} with Go: ${what}`);
  });
  return executable;
}

async function findGo(): Promise<string> {
  // Go's own installer uses this folder and does not change PATH.
  const usual = join(environment()['GOROOT'] || '/usr/local/go', 'bin/go');
  const go = [...(await findOnPath('go')), usual].find((path) => existsSync(path));
  if (!go) throw new Error('Go is not installed');
  return go;
}

/**
 * Returns variables for Go's caches. Go keeps modules and packages in the home directory; if that is not writable, they
 * are kept next to the tools.
 */
async function ownGoFolders(cache: string): Promise<Record<string, string>> {
  const { HOME: home = '', GOPATH = join(cache, 'go'), GOCACHE = join(cache, 'go-build') } = environment();
  const isWritable = await access(home, constants.W_OK).then(
    () => true,
    () => false,
  );
  // modcacherw, because otherwise `rm -r` could not remove the cache.
  return isWritable ? {} : { GOPATH, GOCACHE, GOFLAGS: '-mod=readonly -modcacherw' };
}

/** Returns the folder of go.mod, which exists only in the sources, although this file may run from dist. */
function projectFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}
