import { access, constants } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

/** Limits of a command and all processes that it starts. */
export interface ProcessLimits {
  /** Maximum address space of each process, enforced by the kernel if it supports that (Linux). */
  readonly addressSpaceBytes: number;
  /** Maximum resident memory of all processes together, measured while they run. */
  readonly residentBytes: number;
  /** Maximum size of a file that a process writes, enforced by the kernel. */
  readonly fileBytes: number;
}

/**
 * A shell script that sets the limits and then becomes the command. `ulimit` is built into every shell, so no image
 * needs prlimit(1). A kernel without a limit on address space (macOS) rejects `-v`; there, the monitoring of resident
 * memory in `run` is the only limit.
 */
const SCRIPT = [
  'ulimit -c 0 2>/dev/null',
  'ulimit -t "$1" 2>/dev/null',
  'ulimit -f "$2" 2>/dev/null',
  'ulimit -v "$3" 2>/dev/null',
  'shift 3',
  // A shell adds these variables to the environment.
  'unset PWD OLDPWD SHLVL',
  'exec "$@"',
].join('; ');

/** ulimit(1) measures file sizes in blocks of 512 bytes, and memory in KiB. */
const FILE_BLOCK = 512;
const KIB = 1024;

/**
 * Returns the command line that runs `command` with the limits. The CPU time is limited to the timeout in seconds, plus
 * one.
 */
export function limited(
  command: string,
  args: readonly string[],
  { addressSpaceBytes, fileBytes }: ProcessLimits,
  timeoutMs: number,
): { command: string; args: string[] } {
  const limits = [
    Math.ceil(timeoutMs / 1000) + 1,
    Math.floor(fileBytes / FILE_BLOCK),
    Math.ceil(addressSpaceBytes / KIB),
  ];
  return { command: '/bin/sh', args: ['-c', SCRIPT, 'sh', ...limits.map(String), command, ...args] };
}

/** Returns the path of an executable, looked up like in execvp(3), or undefined if there is none. */
export async function findExecutable(command: string, path = ''): Promise<string | undefined> {
  const candidates =
    isAbsolute(command) || command.includes('/')
      ? [command]
      : path.split(delimiter).map((directory) => join(directory, command));
  for (const candidate of candidates) {
    const isExecutable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isExecutable) return candidate;
  }
  return undefined;
}
