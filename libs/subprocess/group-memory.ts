import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Returns the resident memory in bytes of a process and all its descendants; 0 once they have ended. */
export async function measureGroupMemory(leader: number): Promise<number> {
  return process.platform === 'linux' ? measureTree(leader) : measureByPs(leader);
}

/** Follows the kernel's own list of children, which costs the same on a machine with ten processes or ten thousand. */
async function measureTree(pid: number): Promise<number> {
  const [status, children] = await Promise.all([
    read(`/proc/${pid}/status`),
    read(`/proc/${pid}/task/${pid}/children`),
  ]);
  const own = Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  const below = await Promise.all(children.split(' ').filter(Boolean).map(Number).map(measureTree));
  return own + below.reduce((sum, bytes) => sum + bytes, 0);
}

async function measureByPs(group: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-axo', 'pgid=,rss=']);
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([pgid]) => pgid === group)
    .reduce((sum, [, kib = 0]) => sum + kib * 1024, 0);
}

/** A process may end between two looks. */
function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
