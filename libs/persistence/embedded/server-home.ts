import { chmod, lstat, mkdir, mkdtemp, readlink, rm, stat, symlink, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { runAs } from './run-as.js';
import { give } from './server-user.js';
import type { ServerUser } from './server-user.js';
import { temporaryFolder } from './temporary-folder.js';

export type Log = (message: string, fields?: Record<string, unknown>) => void;

const PRIVATE_FOLDER = 'mcp-registry-postgres-';

/**
 * Returns the folder that contains the database (`dataName`, for example `postgres-18`) and its companions. This is the
 * data directory itself, or a private folder below /var/tmp if the server's user cannot access the data directory
 * (below /root, or on a file system without owners). In that case, `dataName` in the data directory is a symlink, so
 * that users and the next start find the data.
 */
export async function findServerHome(
  dataDirectory: string,
  dataName: string,
  user: ServerUser | undefined,
  log: Log,
): Promise<string> {
  await mkdir(dataDirectory, { recursive: true });
  const data = join(dataDirectory, dataName);
  const existing = await lstat(data).catch(() => undefined);
  if (existing?.isSymbolicLink()) {
    const home = dirname(resolve(dataDirectory, await readlink(data)));
    if (await stat(home).catch(() => undefined)) return home;
    if (!(await isPrivateFolder(home))) throw new Error(`${data} is a symlink into ${home}, which does not exist`);
    log('the private folder of the embedded Postgres is gone, with its data', { folder: home });
    await unlink(data);
  } else if (existing) {
    return dataDirectory;
  }
  if (await canKeepData(user, dataDirectory)) return dataDirectory;
  const home = await makePrivateFolder();
  if (!(await canKeepData(user, home))) {
    throw new Error(
      `User ${user?.uid}, as whom Postgres would run, can use neither ${dataDirectory} nor ${home}: ` +
        'start as an ordinary user, or set DATABASE_URL to a Postgres server',
    );
  }
  await symlink(join(home, dataName), data);
  log('the embedded Postgres keeps its data outside of the data directory, which its user cannot access', {
    data: join(home, dataName),
    user: user?.uid,
  });
  return home;
}

/** Removes the private folder and the symlink that `findServerHome` created, if any. */
export async function removePrivateHome(home: string, dataDirectory: string, dataName: string): Promise<void> {
  if (home === dataDirectory || !(await isPrivateFolder(home))) return;
  await rm(home, { recursive: true, force: true });
  await rm(join(dataDirectory, dataName), { force: true });
}

/** Returns whether a folder was created by this program and may be removed. */
async function isPrivateFolder(home: string): Promise<boolean> {
  return dirname(home) === (await temporaryFolder()) && basename(home).startsWith(PRIVATE_FOLDER);
}

/**
 * Creates a folder that is owned by root and that other users may traverse. The server's user owns the folders in it,
 * but not the programs that it runs.
 */
async function makePrivateFolder(): Promise<string> {
  const folder = await mkdtemp(join(await temporaryFolder(), PRIVATE_FOLDER));
  await chmod(folder, 0o711);
  return folder;
}

/**
 * Returns whether the server's user can own files in a folder. This is tested by creating one, because the mode alone
 * is not enough: access lists, network file systems and mount options matter too.
 */
async function canKeepData(user: ServerUser | undefined, folder: string): Promise<boolean> {
  if (!user) return true;
  const trial = join(folder, '.postgres-trial');
  await rm(trial, { recursive: true, force: true });
  await mkdir(trial);
  try {
    await give(trial, user);
    await runAs(user, '/bin/sh', ['-c', 'umask 077 && cd "$1" && : >file && test -O "$1"', 'sh', trial]);
    return true;
  } catch {
    return false;
  } finally {
    await rm(trial, { recursive: true });
  }
}
