import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { killGroup } from './process-group.js';
import { identifyProcess, isRunning } from './process-identity.js';
import type { ProcessIdentity } from './process-identity.js';

/**
 * The data that the next run needs if this one is killed: the process that was left behind, and the process that owned
 * it.
 */
interface DaemonRecord {
  child: ProcessIdentity;
  owner: ProcessIdentity;
}

export interface DaemonPlace {
  /** How messages refer to the daemon, for example `Postgres`. */
  name: string;
  /** File that contains the identity of the daemon while it runs, in case this process is killed. */
  recordFile: string;
  stopSignal: NodeJS.Signals;
  /** Time after which the whole process group gets SIGKILL. */
  stopTimeoutMs: number;
}

export async function recordDaemon(recordFile: string, child: ProcessIdentity): Promise<void> {
  const owner = await identifyProcess(process.pid);
  if (!owner) throw new Error('This process cannot determine its own start time: is /proc mounted?');
  const record: DaemonRecord = { child, owner };
  await mkdir(dirname(recordFile), { recursive: true });
  await writeFile(`${recordFile}.new`, JSON.stringify(record));
  await rename(`${recordFile}.new`, recordFile);
}

export function forgetDaemon(recordFile: string): Promise<void> {
  return rm(recordFile, { force: true });
}

/**
 * Stops a process that a killed run left behind, so that a new start finds its files and ports free. Returns whether
 * there was one. A process that has the recorded process id but another start time is unrelated and left alone. Throws
 * if the recorded owner is still running, because the process is then not an orphan.
 */
export async function stopOrphan({ name, recordFile, stopSignal, stopTimeoutMs }: DaemonPlace): Promise<boolean> {
  const record = await readRecord(recordFile);
  if (!record) return false;
  if (await isRunning(record.owner)) {
    throw new Error(`${name} belongs to process ${record.owner.pid} (${recordFile}): stop that process first`);
  }
  const { child } = record;
  const orphaned = await isRunning(child);
  if (orphaned) {
    process.kill(child.pid, stopSignal);
    if (!(await hasEnded(child, stopTimeoutMs))) {
      killGroup(child.pid);
      if (!(await hasEnded(child, 10_000))) {
        throw new Error(`${name} of an earlier run (process ${child.pid}) does not end, even after SIGKILL`);
      }
    }
  }
  await forgetDaemon(recordFile);
  return orphaned;
}

/**
 * Returns whether a process ends in time. Polls, because an orphan is not a child of this process, so there is no
 * notification.
 */
async function hasEnded(process: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  for (const deadline = Date.now() + timeoutMs; await isRunning(process);) {
    if (Date.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

/**
 * Reads the record. Writing a record is atomic, so a record that cannot be parsed was lost in a power failure, and its
 * process ended at that time too.
 */
async function readRecord(recordFile: string): Promise<DaemonRecord | undefined> {
  try {
    return JSON.parse(await readFile(recordFile, 'utf8')) as DaemonRecord;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
