import { lstat, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { runAs } from './run-as.js';
import type { Log } from './server-home.js';
import { give } from './server-user.js';
import type { ServerUser } from './server-user.js';

export interface DataFolderOptions {
  /** Its path ends in `postgres-<major>`. */
  data: string;
  initdb: string;
  user: ServerUser | undefined;
  /** False: the data that is there is thrown away, and nothing is forced to disk. */
  durable: boolean;
  /** What `initializeDataFolder` made elsewhere, a folder or a `.tar.gz`; copied instead of running initdb again. */
  template?: string | undefined;
  signal?: AbortSignal | undefined;
  log: Log;
}

/** Makes the data folder unless it is there. It appears whole or not at all; what a killed run left unfinished is removed. */
export async function ensureDataFolder(options: DataFolderOptions): Promise<void> {
  const { data, user, durable, template, log } = options;
  const [home, name] = [dirname(data), basename(data)];
  for (const other of await readdir(home)) {
    if (other.startsWith(`${name}.new-`)) await removeUnfinished(join(home, other));
    else if (/^postgres-\d+$/.test(other) && other !== name) {
      log('the data of another major version of Postgres is left alone', { data: join(home, other) });
    }
  }
  if (!durable) await rm(data, { recursive: true, force: true });
  if (await lstat(data).catch(() => undefined)) return checkVersion(data);

  const unfinished = await mkdtemp(`${data}.new-`);
  try {
    await give(unfinished, user);
    if (template) await copyTemplate({ ...options, template, folder: unfinished });
    else await initializeDataFolder({ ...options, folder: unfinished });
    await checkVersion(unfinished, data);
    await rename(unfinished, data);
  } catch (error) {
    await removeUnfinished(unfinished);
    throw error;
  }
}

/** Throws what is wrong with the template, and what helps. */
async function copyTemplate({
  folder,
  template,
  user,
  signal,
}: Pick<DataFolderOptions, 'user' | 'signal'> & { folder: string; template: string }): Promise<void> {
  const copy = template.endsWith('.tar.gz')
    ? runAs(user, 'tar', ['--no-overwrite-dir', '-xzf', template, '-C', folder], signal)
    : runAs(user, '/bin/cp', ['-R', `${template}/.`, folder], signal);
  await copy.catch((error: Error) => {
    signal?.throwIfAborted();
    const message = `POSTGRES_TEMPLATE: ${template} cannot be used: ${error.message}: correct it, or unset it to use initdb`;
    throw new Error(message, { cause: error });
  });
}

/** An initdb whose parent was killed writes for another moment, until it misses its files. */
function removeUnfinished(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/**
 * Fills an empty folder with a new database cluster, superuser `postgres`. All text is UTF-8 and sorts by code point,
 * so that no library of the operating system can ever change the order of an index. initdb demands that its user has a
 * name in the passwd file; a server that runs with any other user id takes a template.
 */
export async function initializeDataFolder({
  folder,
  initdb,
  user,
  durable,
  signal,
}: Pick<DataFolderOptions, 'initdb' | 'user' | 'durable' | 'signal'> & { folder: string }): Promise<void> {
  const args = [
    `--pgdata=${folder}`,
    '--username=postgres',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    // The socket's directory is what guards it; TCP is off.
    '--auth-local=trust',
    '--auth-host=reject',
    '--no-instructions',
    ...(durable ? [] : ['--no-sync']),
  ];
  await runAs(user, initdb, args, signal);
}

async function checkVersion(folder: string, data = folder): Promise<void> {
  let version: string;
  try {
    version = (await readFile(join(folder, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') {
      throw new Error(`${data} is not the data of a Postgres server: move it away`, { cause: error });
    }
    const { uid } = await lstat(folder);
    const message = `${data} belongs to user ${uid}: start as that user or as root, or choose another data directory`;
    throw new Error(message, { cause: error });
  }
  const wanted = basename(data).replace('postgres-', '');
  if (version !== wanted) {
    throw new Error(`${data} holds data of Postgres ${version}, not ${wanted}: rename it to postgres-${version}`);
  }
}
