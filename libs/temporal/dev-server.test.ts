import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findCached } from '#devstack/cache-folder.js';
import { tools } from '#devstack/tools.js';
import { startTemporalDevServer } from './dev-server.js';
import type { TemporalDevServer, TemporalDevServerOptions } from './dev-server.js';
import { findFreePort } from './free-port.js';

const binary = process.env['DEVSTACK_TEMPORAL'] ?? (await findCached(tools.temporal))[0];
const NAMESPACE = 'default';

let directory: string;
let servers: TemporalDevServer[];
let firstPort: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-'));
  servers = [];
  firstPort = await findFreePort(27_233 + (process.pid % 1000));
});

afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await rm(directory, { recursive: true });
});

function options(name = 'temporal'): TemporalDevServerOptions {
  return {
    binary: binary as string,
    dataFile: join(directory, `${name}.db`),
    logFile: join(directory, `${name}.log`),
    recordFile: join(directory, `${name}.json`),
    port: firstPort,
    uiPort: firstPort + 1000,
    log: () => undefined,
  };
}

async function start(from: TemporalDevServerOptions): Promise<TemporalDevServer> {
  const server = await startTemporalDevServer(from);
  servers.push(server);
  return server;
}

async function connected<T>({ address }: TemporalDevServer, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

function startWorkflow(server: TemporalDevServer, workflowId: string) {
  return connected(server, ({ workflowService }) =>
    workflowService.startWorkflowExecution({
      namespace: NAMESPACE,
      workflowId,
      requestId: workflowId,
      workflowType: { name: 'mcpRegistry' },
      taskQueue: { name: 'nobody-polls-this' },
    }),
  );
}

async function findWorkflowType(server: TemporalDevServer, workflowId: string) {
  const { workflowExecutionInfo } = await connected(server, ({ workflowService }) =>
    workflowService.describeWorkflowExecution({ namespace: NAMESPACE, execution: { workflowId } }),
  );
  return workflowExecutionInfo?.type?.name;
}

async function retentionDays(server: TemporalDevServer) {
  const { config } = await connected(server, ({ workflowService }) =>
    workflowService.describeNamespace({ namespace: NAMESPACE }),
  );
  return Number(config?.workflowExecutionRetentionTtl?.seconds) / 86_400;
}

async function pidOf({ recordFile }: TemporalDevServerOptions): Promise<number> {
  return (JSON.parse(await readFile(recordFile, 'utf8')) as { child: { pid: number } }).child.pid;
}

/**
 * Returns the local addresses of all TCP sockets on which a process listens, in the notation of the kernel
 * (proc_pid_net(5)).
 */
async function listeningAddresses(pid: number): Promise<string[]> {
  const links = (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''));
  const own = new Set(await Promise.all(links));
  const tables = await Promise.all(['tcp', 'tcp6'].map((table) => readFile(`/proc/net/${table}`, 'utf8')));
  return tables
    .flatMap((table) => table.trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && own.has(`socket:[${inode}]`))
    .map(([, local]) => (local as string).split(':')[0] as string);
}

describe.skipIf(!binary)('startTemporalDevServer (skipped without DEVSTACK_TEMPORAL or a cached binary)', () => {
  it('keeps workflows across a restart, for 30 days after they close, in a folder of any name', async () => {
    const from = { ...options(), dataFile: join(directory, 'my data?100%', 'temporal.db') };
    const first = await start(from);
    expect((await fetch(first.uiUrl)).status).toBe(200);
    await startWorkflow(first, 'survivor');
    await first.stop();

    const second = await start(from);
    expect(await findWorkflowType(second, 'survivor')).toBe('mcpRegistry');
    expect(await retentionDays(second)).toBe(30);
  });

  it('runs next to another one with the same preferred ports', async () => {
    const [one, other] = await Promise.all([start(options('one')), start(options('other'))]);
    expect(new Set([one.port, other.port, one.uiPort, other.uiPort]).size).toBe(4);
    await startWorkflow(one, 'only-in-one');
    await expect(findWorkflowType(other, 'only-in-one')).rejects.toThrow('not found');
  });

  it('uses the next port if another program uses the preferred one', async () => {
    const program = createServer().listen(0, '127.0.0.1');
    await once(program, 'listening');
    const { port: busy } = program.address() as AddressInfo;
    const server = await start({ ...options(), port: busy });
    expect(server.port).toBeGreaterThan(busy);
    expect(server.address).toBe(`127.0.0.1:${server.port}`);
    await once(program.close(), 'close');
  });

  it.skipIf(process.platform !== 'linux')('listens on loopback only', async () => {
    await start(options());
    const addresses = await listeningAddresses(await pidOf(options()));
    expect(addresses.length).toBeGreaterThanOrEqual(2);
    expect(new Set(addresses)).toEqual(new Set(['0100007F']));
  });

  it('restarts on its port, with its workflows, when it is killed', async () => {
    const back = Promise.withResolvers<void>();
    const server = await start({
      ...options(),
      log: (message) => message.endsWith('is running again') && back.resolve(),
    });
    await startWorkflow(server, 'survivor');
    process.kill(await pidOf(options()), 'SIGKILL');
    await back.promise;
    expect(await findWorkflowType(server, 'survivor')).toBe('mcpRegistry');
  });

  it('starts after its first start was killed while it created tables', async () => {
    const abort = new AbortController();
    const { dataFile } = options();
    const failed = startTemporalDevServer({ ...options(), signal: abort.signal }).catch(
      (error: Error) => error.message,
    );
    // Kill as early as possible, when the unfinished file has just been created. With only some of its tables, the
    // server would never start again.
    while (!(await readdir(directory)).includes('temporal.db.unfinished')) await new Promise(setImmediate);
    abort.abort(new Error('killed'));
    expect(await failed).toBe('killed');
    await writeFile(dataFile, '');

    expect(await retentionDays(await start(options()))).toBe(30);
    expect(await readdir(directory)).not.toContain('temporal.db.unfinished');
  });
});

describe.skipIf(!binary)('data that is damaged (skipped without a binary)', () => {
  const overwrite = async (file: string, change: (content: Buffer) => Buffer) =>
    writeFile(file, change(await readFile(file)));

  it.each<[string, (file: string) => Promise<void>]>([
    ['is empty', (file) => overwrite(file, () => Buffer.alloc(0))],
    ['has zeros only', (file) => overwrite(file, (content) => Buffer.alloc(content.length))],
    ['has another header', (file) => overwrite(file, (content) => Buffer.concat([Buffer.from('garbage'), content]))],
    ['is of another program', (file) => writeFile(file, 'precious text')],
    ['is cut off', (file) => overwrite(file, (content) => content.subarray(0, 4096))],
    ['is cut off in the middle of a page', (file) => overwrite(file, (content) => content.subarray(0, 10_000))],
    [
      'has garbage in the middle',
      (file) => overwrite(file, (content) => Buffer.from(content.map((byte, at) => (at > 200 ? byte ^ 0xa5 : byte)))),
    ],
    ['has lost what is beside it', (file) => overwrite(file, (content) => content.subarray(0, 4096 * 2))],
  ])('is moved aside when it %s, and Temporal starts without it', async (_, damage) => {
    const said: string[] = [];
    const from = { ...options(), log: (message: string) => void said.push(message) };
    await (await start(from)).stop();
    for (const suffix of ['-wal', '-shm']) await rm(from.dataFile + suffix, { force: true });
    await damage(from.dataFile);
    const damaged = await readFile(from.dataFile);

    const server = await start(from);
    expect(await retentionDays(server)).toBe(30);
    expect(said.filter((message) => message.includes('damaged'))).toHaveLength(1);
    const copies = (await readdir(directory)).filter((name) => /\.damaged-.*Z$/.test(name));
    expect(await Promise.all(copies.map((name) => readFile(join(directory, name))))).toEqual([damaged]);
    await server.stop();

    await startWorkflow(await start(from), 'later');
    expect(said.filter((message) => message.includes('damaged'))).toHaveLength(1);
  });
});
