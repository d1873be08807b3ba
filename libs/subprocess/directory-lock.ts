import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { identifyProcess, isRunning } from './process-identity.js';
import type { ProcessIdentity } from './process-identity.js';

export interface DirectoryLock {
  release(): Promise<void>;
}

const SQLITE_BUSY = 5;
const LOCK_FILE = 'lock';
const HOLDER_FILE = 'lock.json';

/**
 * Gives this process exclusive use of a data directory, which is created if necessary. It uses a file lock of the
 * operating system, through SQLite because Node has no API for it. The lock is released when the process ends for any
 * reason, so it can never be stale, and if two processes start at the same time, exactly one gets it. Throws an error
 * that contains the holder and the remedy, or the reason why the directory cannot be used.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const holderFile = join(directory, HOLDER_FILE);
  let lock: DatabaseSync;
  try {
    await mkdir(directory, { recursive: true });
    lock = new DatabaseSync(join(directory, LOCK_FILE));
  } catch (error) {
    throw unusable(directory, error);
  }
  try {
    lock.exec('BEGIN EXCLUSIVE');
    await writeFile(holderFile, JSON.stringify(await identifyProcess(process.pid)));
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw unusable(directory, error);
    throw new Error(
      `The data directory ${directory} is in use by ${await describeHolder(holderFile)}: ` +
        'stop that first, or set DATA_DIR to another directory',
      { cause: error },
    );
  }
  return {
    async release() {
      await rm(holderFile, { force: true });
      lock.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}

function unusable(directory: string, cause: unknown): Error {
  const uid = process.getuid?.();
  const user = uid === undefined ? 'this user' : `user ${uid}`;
  return new Error(
    `The data directory ${directory} cannot be used: ${(cause as Error).message}. ` +
      `It must be writable for ${user}, on a file system that has file locks and free space`,
    { cause },
  );
}

/**
 * Describes the holder of the lock. The holder writes its identity a moment after it got the lock. Until then, the file
 * may be missing, outdated or incomplete.
 */
async function describeHolder(holderFile: string): Promise<string> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const holder = await readFile(holderFile, 'utf8')
      .then((text) => JSON.parse(text) as ProcessIdentity)
      .catch(() => undefined);
    if (holder && (await isRunning(holder))) {
      return holder.pid === process.pid ? 'this process already' : `process ${holder.pid}`;
    }
    await sleep(25);
  }
  return 'another process, perhaps in another container';
}
