import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Clock ticks per second in /proc: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/**
 * Returns the CPU seconds that a server and all its processes have used so far, including those that have exited;
 * undefined if there is no /proc.
 */
export async function postgresCpuSeconds(dataDirectory: string): Promise<number | undefined> {
  try {
    const [server] = (await readFile(join(dataDirectory, 'postmaster.pid'), 'latin1')).split('\n');
    const processes = await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(readTicks));
    const ticks = processes
      .filter((each) => each?.pid === server || each?.parent === server)
      .reduce((sum, each) => sum + (each?.ticks ?? 0), 0);
    return ticks / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

/** Returns the CPU time of a process and of its exited children. */
async function readTicks(pid: string): Promise<{ pid: string; parent: string; ticks: number } | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  if (stat === undefined) return undefined;
  // The process name before this point is in parentheses and may contain spaces. The fields after it are: state,
  // parent, …
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid, parent: fields[1] ?? '', ticks };
}
