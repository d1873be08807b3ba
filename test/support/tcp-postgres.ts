import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { placeBinaries } from '#persistence/embedded/binaries.js';
import { initializeDataFolder } from '#persistence/embedded/data-folder.js';
import { findPostgresPackage } from '#persistence/embedded/postgres-package.js';
import { SERVER_ENVIRONMENT } from '#persistence/embedded/run-as.js';
import { chooseServerUser, give } from '#persistence/embedded/server-user.js';
import { startDaemon } from '#subprocess/daemon.js';
import type { Certificate } from './certificates.js';
import { nextFreePort } from './free-port.js';

export interface ServerSetup {
  /** Certificate of the server. If absent, the server does not offer TLS. */
  readonly tls?: Certificate | undefined;
  /** Lines of pg_hba.conf for TCP connections. */
  readonly hba: readonly string[];
}

/** A Postgres that listens on TCP. Its TLS settings and access rules can be changed while it is running. */
export interface TcpPostgres extends AsyncDisposable {
  readonly port: number;
  /** Directory of the Unix socket. The superuser needs no password there. */
  readonly socketDirectory: string;
  setUp(setup: ServerSetup): Promise<void>;
  /** Stops the server, calls `work` with its data folder, and starts the server again on the same port. */
  whileStopped(work: (dataFolder: string) => Promise<void>): Promise<void>;
  asSuperuser<T>(work: (client: pg.Client) => Promise<T>, database?: string): Promise<T>;
}

/** Starts a Postgres on TCP, by default on loopback. */
export async function startTcpPostgres({ host = '127.0.0.1' } = {}): Promise<TcpPostgres> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'tcp-postgres-'));
  starting.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o755);
  const [home, data] = [join(directory, 'home'), join(directory, 'data')];
  const user = await chooseServerUser(data);
  for (const folder of [home, data]) {
    await mkdir(folder, { mode: folder === data ? 0o700 : 0o755 });
    await give(folder, user);
  }
  const { postgres, initdb } = await placeBinaries(await findPostgresPackage(), home, user);
  await initializeDataFolder({ folder: data, initdb, user, durable: false });

  const port = await nextFreePort();
  const asSuperuser = async <T>(work: (client: pg.Client) => Promise<T>, database = 'postgres'): Promise<T> => {
    const client = new pg.Client({ host: home, port, user: 'postgres', database });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await work(client);
    } finally {
      await client.end();
    }
  };
  const settings = { listen_addresses: host, port, unix_socket_directories: home, fsync: 'off' };
  const start = () =>
    startDaemon({
      name: 'Postgres',
      recordFile: join(directory, 'postgres.json'),
      command: postgres,
      args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      env: SERVER_ENVIRONMENT,
      ...user,
      logFile: join(directory, 'postgres.log'),
      stopSignal: 'SIGINT',
      stopTimeoutMs: 30_000,
      ready: () => asSuperuser(async () => true),
    });
  let daemon = await start();
  starting.defer(() => daemon.stop());
  const whileStopped = async (work: (dataFolder: string) => Promise<void>): Promise<void> => {
    await daemon.stop();
    await work(data);
    daemon = await start();
  };

  const install = async (name: string, from: string): Promise<void> => {
    const to = join(data, name);
    await copyFile(from, to);
    await chmod(to, 0o600);
    await give(to, user);
  };
  const setUp = async ({ tls, hba }: ServerSetup): Promise<void> => {
    if (tls) await Promise.all([install('server.crt', tls.cert), install('server.key', tls.key)]);
    await writeFile(join(data, 'pg_hba.conf'), ['local all all trust', ...hba, ''].join('\n'));
    await asSuperuser(async (client) => {
      const loadedAt = async () => String((await client.query('SELECT pg_conf_load_time()::text AS at')).rows[0].at);
      const before = await loadedAt();
      await client.query(`ALTER SYSTEM SET ssl = ${tls ? 'on' : 'off'}`);
      await client.query('SELECT pg_reload_conf()');
      // The server loads the new configuration before existing sessions do. When this session has loaded it, new
      // sessions will have it, too.
      while ((await loadedAt()) === before) await sleep(10);
    });
  };
  const stack = starting.move();
  return {
    port,
    socketDirectory: home,
    setUp,
    whileStopped,
    asSuperuser,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
