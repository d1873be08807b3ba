import { mkdir } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { Connection } from '@temporalio/client';
import { startDaemon } from '#subprocess/daemon.js';
import type { Daemon } from '#subprocess/daemon.js';
import { stopOrphan } from '#subprocess/daemon-record.js';
import type { DaemonPlace } from '#subprocess/daemon-record.js';
import { listensOn } from '#subprocess/listening-ports.js';
import { isDamage, markDataFinished, prepareData, setAside } from './dev-server-data.js';
import { findFreePort, isPortFree } from './free-port.js';
import { ensureRetention } from './retention.js';

export interface TemporalDevServerOptions {
  /** Absolute path of the `temporal` command. */
  binary: string;
  /** Path of the server's SQLite database. Workflows exist as long as this file. */
  dataFile: string;
  /** Preferred port. If it is in use, the next free one is taken. */
  port: number;
  uiPort: number;
  logFile: string;
  recordFile: string;
  /** Additional settings, besides those of every local server. */
  dynamicConfig?: Readonly<Record<string, string | number>>;
  log: (message: string, fields?: Record<string, unknown>) => void;
  /** Aborts a start that is in progress. */
  signal?: AbortSignal;
}

export interface TemporalDevServer {
  /** The address, for example `127.0.0.1:7233`. */
  address: string;
  uiUrl: string;
  /** The actual port. */
  port: number;
  uiPort: number;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const NAMESPACE = 'default';
/** Retention of closed workflows. The server's default of one day is too short for a sync history. */
const RETENTION_DAYS = 30;
/** Soft memory limit for Go's garbage collector. With one partition per task queue, 200 registries need 285 MiB. */
const MEMORY = '512MiB';
const PORT_ATTEMPTS = 10;

/**
 * Starts Temporal's dev server with its data in a file, and restarts it if it dies. It has no authentication, so it
 * listens only on loopback: on the two given ports, and on four random ports for internal communication.
 */
export async function startTemporalDevServer(options: TemporalDevServerOptions): Promise<TemporalDevServer> {
  const { log, signal } = options;
  // The orphan is stopped before ports are chosen, because it may still use them.
  if (await stopOrphan(placeOf(options))) log('stopped the Temporal server that an earlier run left behind');
  await mkdir(dirname(options.dataFile), { recursive: true });

  const { daemon, port, uiPort } = await startOnFreePorts(options).catch(async (error: unknown) => {
    signal?.throwIfAborted();
    if (!isDamage(error)) throw error;
    reportDamage(options, await setAside(options.dataFile));
    return startOnFreePorts(options);
  });
  const address = `${HOST}:${port}`;
  try {
    await withConnection(address, (connection) => ensureRetention(connection, NAMESPACE, RETENTION_DAYS));
    signal?.throwIfAborted();
  } catch (error) {
    await daemon.stop();
    throw error;
  }
  return { address, uiUrl: `http://${HOST}:${uiPort}`, port, uiPort, stop: () => daemon.stop() };
}

/**
 * Starts the server on free ports. Another process may take a port between the check and the server's start. The server
 * then exits, and the ports are chosen again.
 */
async function startOnFreePorts(options: TemporalDevServerOptions) {
  for (let attempt = 1; ; attempt++) {
    const port = await findFreePort(options.port);
    const uiPort = await findFreePort(options.uiPort, port);
    try {
      return { daemon: await startOn(port, uiPort, options), port, uiPort };
    } catch (error) {
      const lostPort = !(await isPortFree(port)) || !(await isPortFree(uiPort));
      if (attempt === PORT_ATTEMPTS || !lostPort) throw error;
    }
  }
}

function reportDamage({ log }: TemporalDevServerOptions, movedTo: string): void {
  log('the data of Temporal is damaged and was set aside; what is served is not affected', { movedTo });
}

function placeOf({ recordFile }: TemporalDevServerOptions): DaemonPlace {
  return { name: 'Temporal', recordFile, stopSignal: 'SIGTERM', stopTimeoutMs: 10_000 };
}

function startOn(port: number, uiPort: number, options: TemporalDevServerOptions): Promise<Daemon> {
  const { binary, dataFile, logFile, log, signal } = options;
  return startDaemon({
    ...placeOf(options),
    command: binary,
    args: serverArguments(port, uiPort, basename(dataFile), options.dynamicConfig),
    // The server interprets the file name as a URL, so it is relative to the working directory: a `?` or `%` in the
    // path must not be part of it.
    cwd: dirname(resolve(dataFile)),
    env: { GOMEMLIMIT: MEMORY },
    logFile,
    prepare: async () => {
      const damaged = await prepareData(dataFile);
      if (damaged !== undefined) reportDamage(options, damaged);
    },
    ready: async (pid) => {
      // Checked first, because a gRPC channel whose connection was refused waits a second before it retries.
      if (!(await listensOn(pid, port))) return false;
      await withConnection(`${HOST}:${port}`, (connection) =>
        connection.workflowService.describeNamespace({ namespace: NAMESPACE }),
      );
      await markDataFinished(dataFile);
      return true;
    },
    onExit: ({ message, restartInMs }) => log('Temporal server died, restarting it', { message, restartInMs }),
    onRestart: () => log('Temporal server is running again'),
    ...(signal && { signal }),
  });
}

/**
 * Must be set from the first start on. With four partitions, a queue needs 60 % more memory, and tasks may have to
 * wait.
 */
const ONE_PARTITION = { 'matching.numTaskqueueReadPartitions': 1, 'matching.numTaskqueueWritePartitions': 1 };

function serverArguments(
  port: number,
  uiPort: number,
  dataFileName: string,
  dynamicConfig: TemporalDevServerOptions['dynamicConfig'],
): string[] {
  const settings = Object.entries({ ...ONE_PARTITION, ...dynamicConfig });
  return [
    'server',
    'start-dev',
    `--db-filename=${dataFileName}`,
    // WAL mode is seven times faster than SQLite's default journal.
    '--sqlite-pragma=journal_mode=wal',
    '--sqlite-pragma=synchronous=normal',
    ...settings.map(([name, value]) => `--dynamic-config-value=${name}=${value}`),
    `--ip=${HOST}`,
    `--port=${port}`,
    `--ui-port=${uiPort}`,
    '--log-level=warn',
    '--disable-config-file',
    '--disable-config-env',
  ];
}

async function withConnection<T>(address: string, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address, connectTimeout: '5s' });
  try {
    return await connection.withDeadline(Date.now() + 10_000, () => work(connection));
  } finally {
    await connection.close();
  }
}
