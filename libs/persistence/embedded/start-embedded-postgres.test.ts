import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { spawnTypescript } from '#subprocess/fixtures/spawn-typescript.js';
import { identifyProcess, isRunning } from '#subprocess/process-identity.js';
import { removePrivateHome } from './server-home.js';
import { startEmbeddedPostgres } from './start-embedded-postgres.js';
import type { EmbeddedPostgres, EmbeddedPostgresOptions } from './start-embedded-postgres.js';

const FIXTURE = fileURLToPath(new URL('fixtures/server.fixture.ts', import.meta.url));
const isRoot = process.getuid?.() === 0;
/** A user without a name, as in clusters that assign separate user ids to each namespace. */
const NAMELESS = { uid: 54_321, gid: 54_321 };
const NOBODY = { uid: 65_534, gid: 65_534 };
/** Whether another user can run the code of this checkout, which depends on the permissions of its folders. */
const canBeAnother =
  isRoot && spawnSync(process.execPath, ['-e', `fs.readFileSync(${JSON.stringify(FIXTURE)})`], NOBODY).status === 0;

/** A data folder that initdb created once. All tests except those of initdb itself start with a copy of it. */
let template: string;
let templateHome: string;
let directory: string;
let servers: EmbeddedPostgres[];
let owners: ChildProcess[];
let messages: string[];

beforeAll(async () => {
  templateHome = await mkdtemp(join(tmpdir(), 'pg-template-'));
  await chmod(templateHome, 0o755);
  const server = await startEmbeddedPostgres({ dataDirectory: templateHome, durable: false, log: () => undefined });
  await server.stop();
  spawnSync('chmod', ['-R', 'a+rX', server.data]);
  template = server.data;
});

afterAll(() => rm(templateHome, { recursive: true }));

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pg-'));
  await chmod(directory, 0o755);
  servers = [];
  owners = [];
  messages = [];
});

afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await Promise.all(owners.map((owner) => end(owner, 'SIGTERM')));
  await rm(directory, { recursive: true });
});

function options(more: Partial<EmbeddedPostgresOptions> = {}): EmbeddedPostgresOptions {
  return {
    dataDirectory: join(directory, 'data'),
    durable: true,
    template,
    log: (message) => void messages.push(message),
    ...more,
  };
}

async function start(more: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres(options(more));
  servers.push(server);
  return server;
}

async function startInAnotherProcess(from = options(), user = {}) {
  const owner = spawnTypescript(FIXTURE, [JSON.stringify(from)], user);
  owners.push(owner);
  const [line] = (await once(createInterface(owner.stdout as Readable), 'line')) as [string];
  return { owner, started: JSON.parse(line) as EmbeddedPostgres & { error?: string } };
}

async function end(owner: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (owner.exitCode !== null || owner.signalCode !== null) return;
  owner.kill(signal);
  await once(owner, 'exit');
}

async function query(server: EmbeddedPostgres, sql: string, user = 'db_migrator'): Promise<unknown[]> {
  const client = new Client({ ...server.connection, user });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>({ text: sql });
    return (rows ?? []).map((row) => Object.values(row)[0]);
  } finally {
    await client.end();
  }
}

/** Returns the process from the pid file of the postmaster. */
async function postmasterOf(server: EmbeddedPostgres) {
  const pid = Number.parseInt(await readFile(join(server.data, 'postmaster.pid'), 'utf8'), 10);
  const identity = await identifyProcess(pid);
  if (!identity) throw new Error('Postgres does not run');
  return identity;
}

/** Waits for the first file that initdb writes. The other files may exist already, too. */
async function initdbHasBegun(dataDirectory: string): Promise<void> {
  await expect
    .poll(
      async () => {
        const names = await readdir(dataDirectory).catch(() => []);
        const data = names.find((name) => name.startsWith('postgres-18'));
        return data ? readdir(join(dataDirectory, data)) : [];
      },
      { interval: 5 },
    )
    .toContain('PG_VERSION');
}

describe('startEmbeddedPostgres', () => {
  it('keeps committed data across a restart, and writes nothing if everything exists', async () => {
    const first = await start();
    expect(first.version).toMatch(/^18\./);
    // Checksums are on even though the template was created as non-durable.
    expect(await query(first, 'SHOW data_checksums')).toEqual(['on']);
    await query(first, 'CREATE TABLE t (x int); INSERT INTO t VALUES (42)');
    await first.stop();

    const second = await start();
    expect(await query(second, 'SELECT x FROM t')).toEqual([42]);
    expect(await readdir(options().dataDirectory)).toEqual(
      expect.arrayContaining(['postgres-18', 'postgres.json', 'postgres.log']),
    );
    await second.stop();
    expect(await readdir(options().dataDirectory)).not.toContain('postgres.json');
  });

  it('is a server with the required settings', async () => {
    const server = await start();
    // The server is reachable only through a socket, and only for its user and us.
    expect(await query(server, 'SHOW listen_addresses')).toEqual(['']);
    expect((await lstat(server.connection.host)).mode & 0o777).toBe(0o700);
    // Text is UTF-8 and sorts by code point.
    expect(await query(server, 'SHOW server_encoding')).toEqual(['UTF8']);
    const words = "SELECT x FROM (VALUES ('é'), ('z'), ('Z'), ('a')) AS v (x) ORDER BY x";
    expect(await query(server, words)).toEqual(['Z', 'a', 'z', 'é']);
    // Commits are durable.
    for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
      expect(await query(server, `SHOW ${setting}`)).toEqual(['on']);
    }
    expect(await query(server, 'SHOW jit')).toEqual(['off']);
    expect(await query(server, 'SHOW shared_buffers')).toEqual(['128MB']);
  });

  it('gives the migrator its database, and the app role only granted rights', async () => {
    const server = await start();
    await query(server, 'CREATE EXTENSION pg_trgm; CREATE TABLE t (x int); INSERT INTO t VALUES (1)');
    await expect(query(server, 'CREATE TABLE mine (x int)', 'db_app')).rejects.toThrow(/permission denied for schema/);
    await expect(query(server, 'SELECT x FROM t', 'db_app')).rejects.toThrow(/permission denied for table/);
    await query(server, 'GRANT USAGE ON SCHEMA public TO db_app; GRANT SELECT ON t TO db_app');
    expect(await query(server, 'SELECT x FROM t', 'db_app')).toEqual([1]);
    for (const role of ['db_app', 'db_migrator']) {
      expect(await query(server, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user', role)).toEqual([false]);
    }
  });

  it('starts with an empty database each time, and saves memory, if the data can be rebuilt', async () => {
    const first = await start({ durable: false });
    expect(await query(first, 'SHOW shared_buffers')).toEqual(['16MB']);
    await query(first, 'CREATE TABLE t (x int)');
    await first.stop();
    const second = await start({ durable: false });
    await expect(query(second, 'SELECT x FROM t')).rejects.toThrow('does not exist');
  });

  it('uses another place for the socket if its path would be too long', async () => {
    const dataDirectory = join(directory, 'long'.repeat(30));
    const server = await start({ dataDirectory });
    expect(server.connection.host.length).toBeLessThan(90);
    expect(await query(server, 'SELECT 1')).toEqual([1]);
    await server.stop();
    await rm(server.connection.host, { recursive: true });
  });

  it('starts after the previous run was killed during initdb', async () => {
    const { template: _, ...cold } = options();
    const owner = spawnTypescript(FIXTURE, [JSON.stringify(cold)]);
    owners.push(owner);
    await initdbHasBegun(cold.dataDirectory);
    await end(owner, 'SIGKILL');

    servers.push(await startEmbeddedPostgres(cold));
    const names = await readdir(cold.dataDirectory);
    expect(names.filter((name) => name.startsWith('postgres-18'))).toEqual(['postgres-18']);
  });

  it('leaves no data folder if the start is aborted during initdb', async () => {
    const abort = new AbortController();
    const { template: _, ...cold } = options({ signal: abort.signal });
    const failed = startEmbeddedPostgres(cold).catch((error: Error) => error.message);
    await initdbHasBegun(cold.dataDirectory);
    abort.abort(new Error('Ctrl-C'));
    expect(await failed).toBe('Ctrl-C');
    expect((await readdir(cold.dataDirectory)).filter((name) => name.startsWith('postgres-18'))).toEqual([]);
  });

  it('does not touch data of other major versions and reports them', async () => {
    const older = join(options().dataDirectory, 'postgres-17');
    await mkdir(older, { recursive: true });
    await writeFile(join(older, 'PG_VERSION'), '17\n');
    const server = await start();
    expect(server.data).toMatch(/postgres-18$/);
    expect(await readFile(join(older, 'PG_VERSION'), 'utf8')).toBe('17\n');
    expect(messages).toContain('the data of another major version of Postgres is left alone');
  });
});

describe('after a kill -9', () => {
  it('restarts when the postmaster is killed during a query', async () => {
    const back = Promise.withResolvers<void>();
    const server = await start({ log: (message) => message.endsWith('is running again') && back.resolve() });
    await query(server, 'CREATE TABLE t (x int); INSERT INTO t VALUES (42)');
    const busy = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT count%' AND state = 'active'";
    // Pure computation, so the backend would not notice for hours that the postmaster is gone.
    const endless = query(server, 'SELECT count(*) FROM (SELECT generate_series(1, 1000000000000)) AS numbers').catch(
      (error: Error) => error,
    );
    await expect.poll(() => query(server, busy)).toHaveLength(1);
    const backend = await identifyProcess((await query(server, busy))[0] as number);
    process.kill((await postmasterOf(server)).pid, 'SIGKILL');
    await back.promise;
    expect(await endless).toBeInstanceOf(Error);
    expect(backend && (await isRunning(backend))).toBe(false);
    expect(await query(server, 'SELECT x FROM t')).toEqual([42]);
  });

  it('of the own process alone, stops the orphan and keeps all commits', async () => {
    const { owner, started } = await startInAnotherProcess();
    await query(started, 'CREATE TABLE t (x int); INSERT INTO t VALUES (42)');
    await end(owner, 'SIGKILL');
    const orphan = await postmasterOf(started);
    expect(await isRunning(orphan)).toBe(true);

    const server = await start();
    expect(await isRunning(orphan)).toBe(false);
    expect(await query(server, 'SELECT x FROM t')).toEqual([42]);
    expect(messages).toContain('stopped the Postgres that an earlier run left behind');
  });

  it('of all processes, recovers all commits', async () => {
    const { owner, started } = await startInAnotherProcess();
    await query(started, 'CREATE TABLE t (x int); INSERT INTO t VALUES (42)');
    const postmaster = await postmasterOf(started);
    await end(owner, 'SIGKILL');
    process.kill(postmaster.pid, 'SIGKILL');
    expect(await query(await start(), 'SELECT x FROM t')).toEqual([42]);
  });

  it('starts although an unrelated process has the old pid', async () => {
    const first = await start();
    await first.stop();
    const stranger = spawn('/bin/sleep', ['60'], isRoot ? NOBODY : {});
    owners.push(stranger);
    await once(stranger, 'spawn');
    await writeFile(join(first.data, 'postmaster.pid'), `${stranger.pid}\n${first.data}\n1\n5432\n`);
    expect(await query(await start(), 'SELECT 1')).toEqual([1]);
  });

  it('does not stop the server of a running owner', async () => {
    const { owner } = await startInAnotherProcess();
    await expect(start()).rejects.toThrow(`Postgres belongs to process ${owner.pid}`);
  });
});

describe('when it cannot start', () => {
  it('reports that the data directory is not writable', async () => {
    await writeFile(join(directory, 'file'), '');
    const dataDirectory = join(directory, 'file', 'data');
    await expect(start({ dataDirectory })).rejects.toThrow(
      `The data directory ${dataDirectory} cannot be written by user ${process.getuid?.()}`,
    );
  });

  it('reports that the data has another version', async () => {
    const data = join(options().dataDirectory, 'postgres-18');
    await mkdir(data, { recursive: true });
    await writeFile(join(data, 'PG_VERSION'), '15\n');
    await expect(start()).rejects.toThrow(`${data} holds data of Postgres 15, not 18: rename it to postgres-15`);
  });

  it('reports the message of Postgres', async () => {
    const first = await start();
    await first.stop();
    await writeFile(join(first.data, 'postgresql.auto.conf'), "no_such_setting = '1'\n");
    await expect(start()).rejects.toThrow(/Postgres ended with exit code 1 before it was ready;[^]*no_such_setting/);
  });
});

describe.skipIf(!isRoot)('as root (skipped for an ordinary user)', () => {
  it('runs Postgres as nobody', async () => {
    const server = await start();
    const { pid } = await postmasterOf(server);
    expect(await readFile(`/proc/${pid}/status`, 'utf8')).toMatch(/^Uid:\t65534\t65534/m);
    expect(await lstat(server.data)).toMatchObject(NOBODY);
  });

  it('keeps the data of an inaccessible directory in a private folder, with a symlink to it', async () => {
    const closed = join(directory, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const dataDirectory = join(closed, 'data');
    const first = await start({ dataDirectory });
    const link = join(dataDirectory, 'postgres-18');
    const home = dirname(first.data);
    expect(basename(home)).toMatch(/^mcp-registry-postgres-/);
    try {
      expect(await readlink(link)).toBe(first.data);
      expect(await lstat(home)).toMatchObject({ uid: 0 });
      expect((await lstat(first.data)).mode & 0o777).toBe(0o700);
      await query(first, 'CREATE TABLE t (x int); INSERT INTO t VALUES (42)');
      await first.stop();

      const second = await start({ dataDirectory });
      expect(second.data).toBe(first.data);
      expect(await query(second, 'SELECT x FROM t')).toEqual([42]);
      await second.stop();
    } finally {
      await rm(home, { recursive: true });
    }
    expect(await query(await start({ dataDirectory }), 'SELECT 1')).toEqual([1]);
    expect(messages).toContain('the private folder of the embedded Postgres is gone, with its data');
    await servers.at(-1)?.stop();
    await removePrivateHome(dirname(await readlink(link)), dataDirectory, 'postgres-18');
  });

  it('removes the private folder at the stop if the data can be rebuilt', async () => {
    const dataDirectory = join(directory, 'closed');
    await mkdir(dataDirectory, { mode: 0o700 });
    const server = await start({ dataDirectory, durable: false });
    await server.stop();
    await expect(lstat(dirname(server.data))).rejects.toThrow('ENOENT');
    expect(await readdir(dataDirectory)).toEqual(['postgres.log']);
  });

  it('runs as the owner of data that an ordinary user created', async () => {
    const first = await start();
    await first.stop();
    for (const path of [
      first.data,
      ...(await readdir(first.data, { recursive: true })).map((name) => join(first.data, name)),
    ]) {
      await chown(path, NAMELESS.uid, NAMELESS.gid);
    }
    const server = await start();
    const { pid } = await postmasterOf(server);
    expect(await readFile(`/proc/${pid}/status`, 'utf8')).toMatch(new RegExp(`^Uid:\t${NAMELESS.uid}`, 'm'));
  });
});

describe.skipIf(!canBeAnother)('as an ordinary user (skipped unless root may become one)', () => {
  it('keeps everything in the data directory', async () => {
    await chown(directory, NOBODY.uid, NOBODY.gid);
    const { started } = await startInAnotherProcess(options(), NOBODY);
    expect(started.error).toBeUndefined();
    expect(started.data).toBe(join(await realpath(directory), 'data', 'postgres-18'));
    expect(started.connection.host).toBe(join(directory, 'data', 'postgres-run'));
    expect(await query(started, 'SELECT 1')).toEqual([1]);
  });

  it('reports that the data directory is not writable', async () => {
    const { started } = await startInAnotherProcess(options(), NOBODY);
    expect(started.error).toContain(`The data directory ${join(directory, 'data')} cannot be written by user 65534`);
  });

  it('reports the owner of the data', async () => {
    const first = await start();
    await first.stop();
    const { started } = await startInAnotherProcess(options(), NAMELESS);
    expect(started.error).toBe(
      `${first.data} belongs to user 65534: start as that user or as root, or choose another data directory`,
    );
  });

  it('starts from a template as a user without a name, for whom initdb fails', async () => {
    await chown(directory, NAMELESS.uid, NAMELESS.gid);
    const { template: _, ...cold } = options();
    const refused = await startInAnotherProcess(cold, NAMELESS);
    expect(refused.started.error).toContain('could not look up effective user ID 54321');
    const { started } = await startInAnotherProcess(options(), NAMELESS);
    expect(started.error).toBeUndefined();
    expect(await query(started, 'SELECT 1')).toEqual([1]);
  });

  it('starts from a packed template, as in the image', async () => {
    const packed = join(directory, 'template.tar.gz');
    spawnSync('tar', ['-czf', packed, '-C', template, '.']);
    await chown(directory, NAMELESS.uid, NAMELESS.gid);
    const { started } = await startInAnotherProcess(options({ template: packed }), NAMELESS);
    expect(started.error).toBeUndefined();
    expect(await query(started, 'SELECT 1')).toEqual([1]);
  });
});
