import { chmod, lstat, mkdir, mkdtemp, readlink, rm, stat, symlink, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { runAs } from './run-as.js';
import { give } from './server-user.js';
import type { ServerUser } from './server-user.js';
import { temporaryFolder } from './temporary-folder.js';

export type Log = (message: string, fields?: Record<string, unknown>) => void;

const PRIVATE_FOLDER = 'mcp-registry-postgres-';

/**
 * The folder that holds the database (`dataName`, `postgres-18`) and what belongs to it: the data directory itself, or
 * a private folder below /var/tmp when the server's user cannot get there (below /root, or a file system without
 * owners). Then `dataName` in the data directory is a symlink, so that the data is found, by people and by the next start.
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
    if (!(await isPrivateFolder(home))) throw new Error(`${data} points into ${home}, which is not there`);
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
  log('the embedded Postgres keeps its data outside of the data directory, which is closed to its user', {
    data: join(home, dataName),
    user: user?.uid,
  });
  return home;
}

/** Removes what `findServerHome` made outside of the data directory; nothing when it made nothing. */
export async function removePrivateHome(home: string, dataDirectory: string, dataName: string): Promise<void> {
  if (home === dataDirectory || !(await isPrivateFolder(home))) return;
  await rm(home, { recursive: true, force: true });
  await rm(join(dataDirectory, dataName), { force: true });
}

/** Whether we made it, and may remove it. */
async function isPrivateFolder(home: string): Promise<boolean> {
  return dirname(home) === (await temporaryFolder()) && basename(home).startsWith(PRIVATE_FOLDER);
}

/** Root owns it, others may pass through: the server's user owns the folders in it, but not the programs that it runs. */
async function makePrivateFolder(): Promise<string> {
  const folder = await mkdtemp(join(await temporaryFolder(), PRIVATE_FOLDER));
  await chmod(folder, 0o711);
  return folder;
}

/** Tried out, because modes alone do not tell: access lists, network file systems and mounts have a say too. */
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
