import { readdir, readFile, readlink } from 'node:fs/promises';

/** The resources of the machine that a process uses. */
export interface Usage {
  readonly rssMiB: number;
  readonly threads: number;
  /** Number of open file descriptors. */
  readonly descriptors: number;
}

/** Returns the resource usage of a process; undefined if the process has exited. */
export async function usageOf(pid: number): Promise<Usage | undefined> {
  try {
    const [status, descriptors] = await Promise.all([
      readFile(`/proc/${pid}/status`, 'utf8'),
      readdir(`/proc/${pid}/fd`),
    ]);
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? NaN);
    const rssMiB = field('VmRSS') / 1024;
    // A zombie has no memory.
    if (Number.isNaN(rssMiB)) return undefined;
    return { rssMiB, threads: field('Threads'), descriptors: descriptors.length };
  } catch {
    return undefined;
  }
}

/** Returns the direct child processes of a process. */
export async function childrenOf(pid: number): Promise<number[]> {
  const all = await pids();
  const parents = await Promise.all(all.map((each) => parentOf(each)));
  return all.filter((_, index) => parents[index] === pid);
}

/**
 * Returns the command lines of processes whose working directory is inside a folder, or whose arguments contain its
 * path.
 */
export async function processesIn(directory: string): Promise<string[]> {
  const found = await Promise.all(
    (await pids()).map(async (pid) => {
      const [command, cwd] = await Promise.all([
        readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
        readlink(`/proc/${pid}/cwd`).catch(() => ''),
      ]);
      const isInside = command.includes(directory) || cwd.startsWith(directory);
      return isInside && command !== '' ? `${pid} ${command.replaceAll('\0', ' ').slice(0, 160)}` : [];
    }),
  );
  return found.flat();
}

async function pids(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}

async function parentOf(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? NaN);
}
