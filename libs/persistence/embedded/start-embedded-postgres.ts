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
  /** Created if need be. The caller holds its lock: two servers must not want the same one. */
  dataDirectory: string;
  /** Where the socket's directory goes; default: beside the data. */
  runDirectory?: string;
  /**
   * True: every commit reaches the disk. False: for data that can be rebuilt, with the settings for small pods;
   * then each start begins with an empty database, and what lies outside of the data directory goes at the stop.
   */
  durable: boolean;
  /** For more programs than one of ours; default: 50 when durable, otherwise 20. */
  maxConnections?: number;
  /** A data folder made by `initializeDataFolder`, or a `.tar.gz` of one, for where initdb cannot run. */
  template?: string;
  log: Log;
  /** Ends a start that is under way. */
  signal?: AbortSignal;
}

export interface EmbeddedPostgres {
  /** A Unix socket, for roles `db_app`, `db_migrator` and the superuser `postgres`, without a password. */
  connection: { host: string; port: number; database: string };
  /** Version of the server: `18.4`. */
  version: string;
  /** Where the data really is. */
  data: string;
  stop(): Promise<void>;
}

/** Crash recovery may have much to do. */
const READY_TIMEOUT_MS = 5 * 60_000;
/** SIGINT ends sessions and writes a checkpoint; after SIGKILL the next start recovers. */
const STOP = { stopSignal: 'SIGINT', stopTimeoutMs: 30_000 } as const;

/**
 * Starts a Postgres of our own from the packaged programs, on a Unix socket only, and starts it again when it dies.
 * Whatever was killed before, at any moment, the next start works: a half-made data folder is made again, orphans are
 * stopped, recovery brings back every commit. Errors say what the user can do; often that is to set DATABASE_URL.
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
    onExit: ({ message, restartInMs }) =>
      log('the embedded Postgres died and is started again', { message, restartInMs }),
    onRestart: () => log('the embedded Postgres is back'),
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

/** Rejects while the server is not there, or still recovers. */
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
