import { access, constants } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

/** Bounds of a command and all the processes that it starts. */
export interface ProcessLimits {
  /** Address space of each process; enforced by the kernel, where it can (Linux). */
  readonly addressSpaceBytes: number;
  /** Resident memory of all processes together; measured while they run. */
  readonly residentBytes: number;
  /** Size of any one file that a process writes; enforced by the kernel. */
  readonly fileBytes: number;
}

/**
 * Sets the limits and becomes the command. `ulimit` is built into every shell, so that no image needs prlimit(1). A kernel
 * that knows no limit on address space (macOS) refuses `-v`; there the watch of `run` over resident memory is the only bound.
 */
const SCRIPT = [
  'ulimit -c 0 2>/dev/null',
  'ulimit -t "$1" 2>/dev/null',
  'ulimit -f "$2" 2>/dev/null',
  'ulimit -v "$3" 2>/dev/null',
  'shift 3',
  // A shell adds these to the environment.
  'unset PWD OLDPWD SHLVL',
  'exec "$@"',
].join('; ');

/** ulimit(1) counts file sizes in blocks of 512 bytes, and memory in KiB. */
const FILE_BLOCK = 512;
const KIB = 1024;

/** Returns the command line that runs `command` under the limits, with as many seconds of processor time as it has of real time. */
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

/** Returns the path of an executable, looked up as execvp(3) does; undefined if there is none. */
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
