import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withClient } from '#persistence/database-client.js';
import type { Database } from '#persistence/database-place.js';
import { migrate } from '#persistence/migrate.js';
import { nextFreePort } from '#support/free-port.js';
import { startTcpPostgres } from '#support/tcp-postgres.js';
import type { TcpPostgres } from '#support/tcp-postgres.js';

/** The user of the pooler, which refuses to run as root. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
const isInstalled = spawnSync('pgbouncer', ['--version']).status === 0;

let postgres: TcpPostgres;
let directory: string;
const poolers: ChildProcess[] = [];

beforeAll(async () => {
  if (!isInstalled) return;
  postgres = await startTcpPostgres();
  await postgres.setUp({ hba: ['host all all 127.0.0.1/32 trust'] });
  directory = await mkdtemp(join(tmpdir(), 'pooler-'));
  await chmod(directory, 0o755);
});

afterAll(async () => {
  for (const pooler of poolers) pooler.kill('SIGKILL');
  await postgres?.[Symbol.asyncDispose]();
  if (directory) await rm(directory, { recursive: true, force: true });
});

/** Starts a real PgBouncer in front of the server, and returns a database as reached through it. */
async function behindPooler(
  settings: Readonly<Record<string, string | number>>,
  database = 'postgres',
): Promise<Database> {
  const port = await nextFreePort();
  const all = { listen_addr: '127.0.0.1', listen_port: port, auth_type: 'any', unix_socket_dir: '', ...settings };
  const file = join(directory, `${port}.ini`);
  await writeFile(
    file,
    [
      `[databases]\n${database} = host=127.0.0.1 port=${postgres.port} dbname=${database} user=postgres`,
      '[pgbouncer]',
      ...Object.entries(all).map(([name, value]) => `${name} = ${value}`),
      '',
    ].join('\n'),
  );
  const pooler = spawn('pgbouncer', [file], { stdio: ['ignore', 'ignore', 'pipe'], ...NOBODY });
  poolers.push(pooler);
  pooler.stderr?.resume();
  const access = { host: '127.0.0.1', port, user: 'postgres', database, sslMode: 'disable' } as const;
  await expect.poll(() => connects(port)).toBe(true);
  return { app: access, migrator: access };
}

async function connects(port: number): Promise<boolean> {
  const { connect } = await import('node:net');
  const socket = connect(port, '127.0.0.1');
  const [event] = await Promise.race([
    once(socket, 'connect').then(() => ['connect']),
    once(socket, 'error').then(() => ['error']),
  ]).catch(() => ['error']);
  socket.destroy();
  return event === 'connect';
}

describe.skipIf(!isInstalled)('a database behind PgBouncer', () => {
  it.each([
    ['transaction', {}],
    ['statement', {}],
    ['transaction', { server_round_robin: 1, min_pool_size: 3 }],
  ])('in pool mode %s is rejected with its own reason: %j', async (mode, settings) => {
    const database = await behindPooler({ pool_mode: mode, ...settings });
    await expect(migrate(database)).rejects.toMatchObject({
      reason: 'DatabasePooled',
      message: expect.stringMatching(/PgBouncer.*pool_mode session/),
    });
  });

  it('that rejects options is reported if there are some', async () => {
    const { app, migrator } = await behindPooler({ pool_mode: 'session' });
    const options = '-c work_mem=8MB';
    await expect(migrate({ app: { ...app, options }, migrator })).rejects.toMatchObject({
      reason: 'DatabasePooled',
      message: expect.stringMatching(/unsupported startup parameter.*PgBouncer.*ignore_startup_parameters/),
    });
  });

  it('in pool mode session is accepted', async () => {
    const { port } = postgres;
    const server = { host: '127.0.0.1', port, user: 'postgres', database: 'postgres', sslMode: 'disable' } as const;
    await withClient(server, (client) => client.query('CREATE DATABASE empty'));
    const database = await behindPooler({ pool_mode: 'session' }, 'empty');
    expect(await migrate(database)).toHaveLength(1);
    expect(await migrate(database)).toEqual([]);
  });

  it('is not considered dead while the statement runs and the watchdog waits for a free connection', async () => {
    const { app } = await behindPooler({ pool_mode: 'session', default_pool_size: 1 });
    const { rows } = await withClient(app, (client) => client.query(`SELECT pg_sleep(27), 'done' AS text`));
    expect(rows).toMatchObject([{ text: 'done' }]);
  });

  it('is up to date without waiting for the lock of another migrator', async () => {
    const database = await behindPooler({ pool_mode: 'session' });
    await migrate(database);
    await withClient(database.migrator, async (client) => {
      await client.query('SELECT pg_advisory_lock(5124377001)');
      expect(await migrate(database)).toEqual([]);
    });
  });
});
