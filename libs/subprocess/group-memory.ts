import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Memory of a process and all its descendants. */
export interface GroupMemory {
  readonly residentBytes: number;
  /**
   * Memory that is not shared with other processes, such as the code of the program. Includes shared memory on systems
   * that do not report it separately.
   */
  readonly ownBytes: number;
}

/** Measures the memory of a process and all its descendants. Zero after they have ended. */
export async function measureGroupMemory(leader: number): Promise<GroupMemory> {
  return process.platform === 'linux' ? measureTree(leader) : measureByPs(leader);
}

/**
 * Follows the kernel's list of children, so that the cost does not depend on the number of processes on the machine.
 */
async function measureTree(pid: number): Promise<GroupMemory> {
  const [status, children] = await Promise.all([
    read(`/proc/${pid}/status`),
    read(`/proc/${pid}/task/${pid}/children`),
  ]);
  const bytesOf = (field: string) => Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1024;
  const below = await Promise.all(children.split(' ').filter(Boolean).map(Number).map(measureTree));
  return sumOf([{ residentBytes: bytesOf('VmRSS'), ownBytes: bytesOf('RssAnon') }, ...below]);
}

function sumOf(parts: readonly GroupMemory[]): GroupMemory {
  return parts.reduce((sum, { residentBytes, ownBytes }) => ({
    residentBytes: sum.residentBytes + residentBytes,
    ownBytes: sum.ownBytes + ownBytes,
  }));
}

async function measureByPs(group: number): Promise<GroupMemory> {
  const { stdout } = await promisify(execFile)('ps', ['-axo', 'pgid=,rss=']);
  const residentBytes = stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([pgid]) => pgid === group)
    .reduce((sum, [, kib = 0]) => sum + kib * 1024, 0);
  return { residentBytes, ownBytes: residentBytes };
}

/** Reads a file, or returns an empty string, because a process may end between two reads. */
function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
