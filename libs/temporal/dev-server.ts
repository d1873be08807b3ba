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
  /** The `temporal` command, an absolute path. */
  binary: string;
  /** Its SQLite database; workflows live as long as this file. */
  dataFile: string;
  /** Wanted ports; when one is busy the next free one is taken. */
  port: number;
  uiPort: number;
  logFile: string;
  recordFile: string;
  /** Beside the settings that every local server gets. */
  dynamicConfig?: Readonly<Record<string, string | number>>;
  log: (message: string, fields?: Record<string, unknown>) => void;
  /** Ends a start that is under way. */
  signal?: AbortSignal;
}

export interface TemporalDevServer {
  /** `127.0.0.1:7233` */
  address: string;
  uiUrl: string;
  /** The real ports. */
  port: number;
  uiPort: number;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const NAMESPACE = 'default';
/** The server's own default is one day: too short for a sync history. */
const RETENTION_DAYS = 30;
/** A soft limit for Go's garbage collector; with one partition per task queue 200 registries need 285 MiB. */
const MEMORY = '512MiB';
const PORT_ATTEMPTS = 10;

/**
 * Starts Temporal's dev server with its data in a file, and starts it again when it dies. It has no authentication,
 * so it listens on loopback only: on the two ports given, and on four random ones for its parts among each other.
 */
export async function startTemporalDevServer(options: TemporalDevServerOptions): Promise<TemporalDevServer> {
  const { log, signal } = options;
  // Before ports are chosen: it may sit on the ones that we want.
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

/** Between our look at the ports and the server's start another process can take one: then it ends, and we look again. */
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
    // The server takes the file's name for a URL: a `?` or `%` in the path must not come into it.
    cwd: dirname(resolve(dataFile)),
    env: { GOMEMLIMIT: MEMORY },
    logFile,
    prepare: async () => {
      const damaged = await prepareData(dataFile);
      if (damaged !== undefined) reportDamage(options, damaged);
    },
    ready: async (pid) => {
      // Looked at first, because a gRPC channel that was refused waits a second before it tries again.
      if (!(await listensOn(pid, port))) return false;
      await withConnection(`${HOST}:${port}`, (connection) =>
        connection.workflowService.describeNamespace({ namespace: NAMESPACE }),
      );
      await markDataFinished(dataFile);
      return true;
    },
    onExit: ({ message, restartInMs }) =>
      log('the Temporal server died and is started again', { message, restartInMs }),
    onRestart: () => log('the Temporal server is back'),
    ...(signal && { signal }),
  });
}

/** Set from the first start on: with four partitions a queue takes 60 % more memory, and a task may wait. */
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
    // Seven times faster than SQLite's default journal.
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
