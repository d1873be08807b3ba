import { readdir, readFile, readlink, realpath, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identifyProcess, isRunning } from '#subprocess/process-identity.js';
import type { ProcessIdentity } from '#subprocess/process-identity.js';
import { SOCKET_PORT } from './socket-directory.js';

/**
 * Removes the leftovers of a killed postmaster that would prevent a new one from starting. These are backends in the
 * middle of a long computation, which do not notice that their parent is gone, and files with a process id that now
 * belongs to an unrelated process (common in containers, where process ids are small) or a zombie. Crash recovery does
 * the rest. Throws if the data is in use by a running postmaster. On systems other than Linux, all of this is left to
 * Postgres itself.
 */
export async function clearLeftovers(data: string, socketDirectory: string): Promise<void> {
  if (process.platform !== 'linux') return;
  const pidFile = join(data, 'postmaster.pid');
  const postmaster = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
  const leftovers = await findServerProcesses(data);
  if (leftovers.some(({ pid }) => pid === postmaster)) {
    throw new Error(`Another Postgres, process ${postmaster}, uses ${data}: stop it first`);
  }
  for (const backend of leftovers) if (await isRunning(backend)) process.kill(backend.pid, 'SIGKILL');
  for (const backend of leftovers) while (await isRunning(backend)) await sleep(10);
  await rm(pidFile, { force: true });
  await rm(join(socketDirectory, `.s.PGSQL.${SOCKET_PORT}.lock`), { force: true });
}

/** Returns the Postgres processes of a data folder, which they all have as their working directory. */
async function findServerProcesses(data: string): Promise<ProcessIdentity[]> {
  const folder = await realpath(data);
  const found: ProcessIdentity[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const [cwd, program] = await Promise.all(
      ['cwd', 'exe'].map((link) => readlink(`/proc/${entry}/${link}`).catch(() => '')),
    );
    if (cwd !== folder || !basename(program ?? '').startsWith('postgres')) continue;
    const identity = await identifyProcess(Number(entry));
    if (identity) found.push(identity);
  }
  return found;
}
