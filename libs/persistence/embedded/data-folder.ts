import { lstat, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { runAs } from './run-as.js';
import type { Log } from './server-home.js';
import { give } from './server-user.js';
import type { ServerUser } from './server-user.js';

export interface DataFolderOptions {
  /** Path of the data folder. It ends in `postgres-<major>`. */
  data: string;
  initdb: string;
  user: ServerUser | undefined;
  /** If false, existing data is deleted, and nothing is forced to disk. */
  durable: boolean;
  /**
   * The result of an earlier `initializeDataFolder`, as a folder or a `.tar.gz`. It is copied instead of running initdb
   * again.
   */
  template?: string | undefined;
  signal?: AbortSignal | undefined;
  log: Log;
}

/**
 * Creates the data folder if it does not exist. The creation is atomic, and unfinished folders of a killed run are
 * removed.
 */
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

/** Copies the template. Throws an error that says what is wrong with it and how to fix that. */
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

/**
 * Removes an unfinished folder, with retries: an initdb whose parent was killed continues to write for a moment, until
 * it notices that its files are missing.
 */
function removeUnfinished(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/**
 * Initializes a database cluster with the superuser `postgres` in an empty folder. All text is UTF-8 and sorted by code
 * point, so that no library of the operating system can change the order of an index. initdb requires a name in the
 * passwd file for its user, so a server that runs with any other user id uses a template.
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
    // Access is controlled by the directory of the socket. TCP is off.
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
