import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { startDaemon } from '#subprocess/daemon.js';
import { stopOrphan } from '#subprocess/daemon-record.js';
import { placeBinaries } from './binaries.js';
import { ensureDataFolder } from './data-folder.js';
import { clearLeftovers } from './leftover-backends.js';
import { findPostgresPackage } from './postgres-package.js';
import { DATABASE, ensureRoles } from './roles.js';
import { SERVER_ENVIRONMENT } from './run-as.js';
import { findServerHome, removePrivateHome } from './server-home.js';
import type { Log } from './server-home.js';
import { chooseServerUser } from './server-user.js';
import { serverArguments } from './settings.js';
import { makeSocketDirectory, SOCKET_PORT } from './socket-directory.js';

export interface EmbeddedPostgresOptions {
  /**
   * The data directory, which is created if necessary. The caller holds its lock, because two servers must not use the
   * same directory.
   */
  dataDirectory: string;
  /** Parent of the directory for the socket. The default is the parent of the data. */
  runDirectory?: string;
  /**
   * If true, every commit is forced to disk. False is for data that can be rebuilt, and uses the settings for small
   * pods. Each start then begins with an empty database, and files outside the data directory are removed at the stop.
   */
  durable: boolean;
  /** Maximum number of connections of all clients. The default is 50 if durable, otherwise 20. */
  maxConnections?: number;
  /** A data folder made by `initializeDataFolder`, or a `.tar.gz` of one, for environments where initdb cannot run. */
  template?: string;
  log: Log;
  /** Aborts a start that is in progress. */
  signal?: AbortSignal;
}

export interface EmbeddedPostgres {
  /** A Unix socket for the roles `db_app` and `db_migrator` and the superuser `postgres`, without a password. */
  connection: { host: string; port: number; database: string };
  /** Version of the server, for example `18.4`. */
  version: string;
  /** Actual path of the data, with symlinks resolved. */
  data: string;
  stop(): Promise<void>;
}

/** Maximum time until the server is ready. Crash recovery may take long. */
const READY_TIMEOUT_MS = 5 * 60_000;
/** SIGINT closes sessions and writes a checkpoint. After a SIGKILL, the next start performs a recovery. */
const STOP = { stopSignal: 'SIGINT', stopTimeoutMs: 30_000 } as const;

/**
 * Starts an embedded Postgres from the packaged programs, on a Unix socket only, and restarts it if it dies. The start
 * succeeds even if any earlier process was killed at any moment: an unfinished data folder is created again, orphaned
 * processes are stopped, and recovery restores every commit. Error messages say what the user can do, which is often to
 * set DATABASE_URL.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDirectory = resolve(options.dataDirectory);
  try {
    return await start({ ...options, dataDirectory });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw explained(error as NodeJS.ErrnoException, dataDirectory);
  }
}

async function start(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { dataDirectory, durable, template, log, signal } = options;
  const files = await findPostgresPackage();
  const dataName = `postgres-${files.major}`;
  const user = await chooseServerUser(join(dataDirectory, dataName));
  const home = await findServerHome(dataDirectory, dataName, user, log);
  const data = join(home, dataName);
  const place = { name: 'Postgres', recordFile: join(home, 'postgres.json'), ...STOP };

  if (await stopOrphan(place)) log('stopped the Postgres that an earlier run left behind', { data });
  const { postgres, initdb } = await placeBinaries(files, home, user);
  await ensureDataFolder({ data, initdb, user, durable, template, signal, log });
  const socketDirectory = await makeSocketDirectory(options.runDirectory ?? home, user);
  const connection = { host: socketDirectory, port: SOCKET_PORT, database: DATABASE };

  const daemon = await startDaemon({
    ...place,
    command: postgres,
    args: serverArguments({ data, socketDirectory, port: SOCKET_PORT }, options),
    env: SERVER_ENVIRONMENT,
    ...user,
    logFile: join(dataDirectory, 'postgres.log'),
    prepare: () => clearLeftovers(data, socketDirectory),
    ready: () => asSuperuser(socketDirectory, async () => true),
    readyTimeoutMs: READY_TIMEOUT_MS,
    onExit: ({ message, restartInMs }) => log('embedded Postgres died, restarting it', { message, restartInMs }),
    onRestart: () => log('embedded Postgres is running again'),
    ...(signal && { signal }),
  });
  try {
    const version = await asSuperuser(socketDirectory, async (superuser) => {
      await ensureRoles(superuser);
      const { rows } = await superuser.query<{ server_version: string }>('SHOW server_version');
      return rows[0]?.server_version ?? files.major;
    });
    const stop = async () => {
      await daemon.stop();
      if (!durable) await removePrivateHome(home, dataDirectory, dataName);
    };
    return { connection, version, data, stop };
  } catch (error) {
    await daemon.stop();
    throw error;
  }
}

/** Runs `work` as the superuser. Rejects if the server is not running or still recovers. */
async function asSuperuser<T>(host: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({
    host,
    port: SOCKET_PORT,
    user: 'postgres',
    database: 'postgres',
    ssl: false,
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

function explained(error: NodeJS.ErrnoException, dataDirectory: string): Error {
  const { message, code = '' } = error;
  if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'].includes(code)) {
    return new Error(
      `The data directory ${dataDirectory} cannot be written by user ${process.getuid?.()} (${message}): ` +
        'make it writable, or choose another one',
      { cause: error },
    );
  }
  if (['ENOSPC', 'EDQUOT'].includes(code) || /No space left on device|quota exceeded/i.test(message)) {
    return new Error(`There is no space left for the embedded Postgres in ${dataDirectory}: ${message}`, {
      cause: error,
    });
  }
  return error;
}
