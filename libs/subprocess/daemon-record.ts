import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { killGroup } from './process-group.js';
import { identifyProcess, isRunning } from './process-identity.js';
import type { ProcessIdentity } from './process-identity.js';

/** What the next run needs to know when this one is killed: which process it left behind, and whose that was. */
interface DaemonRecord {
  child: ProcessIdentity;
  owner: ProcessIdentity;
}

export interface DaemonPlace {
  /** What messages call it: `Postgres`. */
  name: string;
  /** Where its identity is kept while it runs, for the case that our process is killed. */
  recordFile: string;
  stopSignal: NodeJS.Signals;
  /** After so long the whole process group gets SIGKILL. */
  stopTimeoutMs: number;
}

export async function recordDaemon(recordFile: string, child: ProcessIdentity): Promise<void> {
  const owner = await identifyProcess(process.pid);
  if (!owner) throw new Error('This process cannot look itself up: is /proc mounted?');
  const record: DaemonRecord = { child, owner };
  await mkdir(dirname(recordFile), { recursive: true });
  await writeFile(`${recordFile}.new`, JSON.stringify(record));
  await rename(`${recordFile}.new`, recordFile);
}

export function forgetDaemon(recordFile: string): Promise<void> {
  return rm(recordFile, { force: true });
}

/**
 * Stops what a killed run left behind, so that a new start finds files and ports free; says whether there was anything.
 * A process that only has the recorded pid, but started at another time, is a stranger and left alone.
 * Throws when the recorded owner still runs: then it is no orphan.
 */
export async function stopOrphan({ name, recordFile, stopSignal, stopTimeoutMs }: DaemonPlace): Promise<boolean> {
  const record = await readRecord(recordFile);
  if (!record) return false;
  if (await isRunning(record.owner)) {
    throw new Error(`${name} is in the hands of process ${record.owner.pid} (${recordFile}): stop that process first`);
  }
  const { child } = record;
  const orphaned = await isRunning(child);
  if (orphaned) {
    process.kill(child.pid, stopSignal);
    if (!(await hasEnded(child, stopTimeoutMs))) {
      killGroup(child.pid);
      if (!(await hasEnded(child, 10_000))) {
        throw new Error(`${name} of an earlier run (process ${child.pid}) does not end, not even by SIGKILL`);
      }
    }
  }
  await forgetDaemon(recordFile);
  return orphaned;
}

/** An orphan is not our child, so nothing tells us of its end: look. */
async function hasEnded(process: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  for (const deadline = Date.now() + timeoutMs; await isRunning(process);) {
    if (Date.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

/** A record is written whole or not at all; what does not parse was lost with the machine's power, and its process too. */
async function readRecord(recordFile: string): Promise<DaemonRecord | undefined> {
  try {
    return JSON.parse(await readFile(recordFile, 'utf8')) as DaemonRecord;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
