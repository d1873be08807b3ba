import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** One process and no other: a pid alone is used again after its process has ended. `startedAt` is opaque text. */
export interface ProcessIdentity {
  pid: number;
  startedAt: string;
}

/** Returns the process that has this pid now; undefined when there is none. A zombie has ended: only its parent has not looked yet. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  const startedAt = await (process.platform === 'linux' ? startOnLinux(pid) : startByPs(pid));
  return startedAt === undefined ? undefined : { pid, startedAt };
}

export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await identifyProcess(identity.pid))?.startedAt === identity.startedAt;
}

/** Ticks since boot say nothing across a reboot, so the boot's own id belongs to them (proc_pid_stat(5), fields 3 and 22). */
async function startOnLinux(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // The second field is the program's name in brackets and may hold anything, brackets and spaces too.
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
