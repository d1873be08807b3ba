import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/**
 * Identifies a process uniquely, because a process id alone is reused after the process has ended. `startedAt` is an
 * opaque string.
 */
export interface ProcessIdentity {
  pid: number;
  startedAt: string;
}

/**
 * Returns the identity of the process that has this id now, or undefined if there is none. A zombie counts as ended,
 * because only its parent has not noticed yet.
 */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  const startedAt = await (process.platform === 'linux' ? startOnLinux(pid) : startByPs(pid));
  return startedAt === undefined ? undefined : { pid, startedAt };
}

export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await identifyProcess(identity.pid))?.startedAt === identity.startedAt;
}

/**
 * Returns the start time in ticks since boot, with the id of the boot, because ticks alone cannot be compared across a
 * reboot (proc_pid_stat(5), fields 3 and 22).
 */
async function startOnLinux(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // The second field is the program's name in parentheses. It may contain any characters, including parentheses and
  // spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return `${await bootId()}/${fields[19]}`;
}

let knownBootId: Promise<string> | undefined;

function bootId(): Promise<string> {
  knownBootId ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (id) => id.trim(),
    () => 'unknown boot',
  );
  return knownBootId;
}

async function startByPs(pid: number): Promise<string | undefined> {
  const listed = await promisify(execFile)('/bin/ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
    env: { LC_ALL: 'C' },
  }).catch(() => undefined); // ps ends with 1 when there is no such process
  const [state, ...start] = listed?.stdout.trim().split(/\s+/) ?? [];
  return !state || state.startsWith('Z') ? undefined : start.join(' ');
}
