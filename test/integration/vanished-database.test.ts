import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessOf } from '#persistence/connection-url.js';
import { newClient, withClient } from '#persistence/database-client.js';
import { createDataSource } from '#persistence/database.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import { migrate } from '#persistence/migrate.js';
import { onlyRegistry } from '#registry-api/served-registry.js';
import type { ServedRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import { ALONE } from '#support/alone.js';
import { CatalogueRows } from '#support/catalogue-rows.js';
import { nextFreePort } from '#support/free-port.js';
import { FreezingProxy } from '#support/freezing-proxy.js';
import { startTcpPostgres } from '#support/tcp-postgres.js';
import type { TcpPostgres } from '#support/tcp-postgres.js';

const OPEN: ServedRegistry = { namespace: 'default', name: 'team', sources: ['main'], auth: { mode: 'anonymous' } };

let postgres: TcpPostgres;
let access: DatabaseAccess;

beforeAll(async () => {
  postgres = await startTcpPostgres();
  await postgres.setUp({ hba: ['host all all 127.0.0.1/32 trust'] });
  access = { host: '127.0.0.1', port: postgres.port, user: 'postgres', database: 'postgres', sslMode: 'disable' };
  await migrate({ app: access, migrator: access });
});

afterAll(() => postgres?.[Symbol.asyncDispose]());

const through = (proxy: FreezingProxy, pool?: DatabaseAccess['pool']): DatabaseAccess => ({
  ...access,
  port: proxy.port,
  ...(pool && { pool }),
});

const pidOf = async (source: DataSource) =>
  ((await source.query('SELECT pg_backend_pid() AS pid')) as { pid: number }[])[0]?.pid;

const pooled = (database: DatabaseAccess) =>
  createDataSource(database, { maxConnections: 3, onError: () => undefined }).initialize();

describe.concurrent('a database that vanishes', () => {
  it('fails one statement, and no earlier connection is used again', async () => {
    await using proxy = await FreezingProxy.before(postgres.port);
    const source = await pooled(through(proxy, { maxConnections: 3, maxIdle: 3, maxLifetimeSeconds: 0 }));
    const before = await Promise.all(
      [1, 2, 3].map(() => source.query('SELECT pg_backend_pid() AS pid, pg_sleep(0.5)')),
    );
    const pids = before.map(([{ pid }]) => pid as number);
    expect(new Set(pids).size).toBe(3);
    proxy.freeze();
    await expect(source.query('SELECT 1')).rejects.toThrow(/went away/);
    expect(pids).not.toContain(await pidOf(source));
    expect(pids).not.toContain(await pidOf(source));
    await source.destroy();
  });

  it('is also noticed when no other connection succeeds', async () => {
    await using proxy = await FreezingProxy.before(postgres.port);
    const client = newClient(through(proxy));
    await client.connect();
    proxy.freeze();
    proxy.isDown = true;
    await expect(client.query('SELECT 1')).rejects.toThrow(/went away/);
    await client.end();
    proxy.isDown = false;
    await withClient(through(proxy), (next) => next.query('SELECT 1'));
  });

  it('is not assumed for a long-running statement', async () => {
    await using proxy = await FreezingProxy.before(postgres.port);
    const { rows } = await withClient(through(proxy), (client) => client.query(`SELECT pg_sleep(16), 'done' AS text`));
    expect(rows).toMatchObject([{ text: 'done' }]);
  });

  it('is not assumed for a server that executes a statement but accepts no other connection for a while', async () => {
    await using proxy = await FreezingProxy.before(postgres.port);
    const text = await withClient(through(proxy), async (client) => {
      proxy.isDown = true;
      return (await client.query<{ text: string }>(`SELECT pg_sleep(22), 'done' AS text`)).rows[0]?.text;
    });
    expect(text).toBe('done');
  });

  it('is followed again as soon as it is available', async () => {
    await using proxy = await FreezingProxy.before(postgres.port);
    const rows = await CatalogueRows.connect(access);
    const api = await startRegistryApi({
      ...ALONE,
      database: through(proxy),
      host: '127.0.0.1',
      port: 0,
      internalPort: 0,
      registries: onlyRegistry(OPEN),
      version: { version: '1.2.3', commit: 'abc', buildDate: '2026-11-22' },
      logger: pino({ level: 'silent' }),
    });
    try {
      await rows.addRegistry('default', 'team');
      await rows.addSource('default', 'team', 'main');
      await rows.publish('default', 'team', 'main', [{ name: 'io.x/a', version: '1.0.0' }]);
      const status = async (name: string) =>
        (await fetch(`${api.url}/v0.1/servers/${encodeURIComponent(name)}/versions/latest`)).status;
      await expect.poll(() => status('io.x/a')).toBe(200);
      proxy.freeze();
      await rows.publish('default', 'team', 'main', [
        { name: 'io.x/a', version: '1.0.0' },
        { name: 'io.x/b', version: '1.0.0' },
      ]);
      await expect.poll(() => status('io.x/b')).toBe(200);
    } finally {
      await rows.end();
      await api.close();
    }
  });
});

describe('a database at several hosts', () => {
  it('is used at the host that accepts writes, and at another when that is unavailable', async () => {
    await using standby = await startTcpPostgres();
    await standby.setUp({ hba: ['host all all 127.0.0.1/32 scram-sha-256'] });
    await standby.asSuperuser(async (client) => {
      await client.query(`ALTER ROLE postgres PASSWORD 's:ecret'`);
      await client.query('ALTER SYSTEM SET default_transaction_read_only = on');
      await client.query('SELECT pg_reload_conf()');
    });
    await using first = await FreezingProxy.before(standby.port);
    await using second = await FreezingProxy.before(postgres.port);
    const directory = await mkdtemp(join(tmpdir(), 'pgpass-'));
    const passfile = join(directory, 'pgpass');
    await writeFile(passfile, `127.0.0.1:${first.port}:*:*:s\\:ecret\n*:*:*:*:other\n`);
    const nowhere = await nextFreePort();
    const ports = `127.0.0.1:${nowhere},127.0.0.1:${first.port},127.0.0.1:${second.port}`;
    const several = accessOf(`postgresql://postgres@${ports}/postgres?sslmode=disable&passfile=${passfile}`);
    const portOf = () =>
      withClient(
        several,
        async (client) => (await client.query<{ port: number }>('SELECT inet_server_port() AS port')).rows[0]?.port,
        { mayBeReadOnly: true },
      );
    try {
      expect(await portOf()).toBe(postgres.port);
      second.freeze();
      second.isDown = true;
      await expect(portOf()).rejects.toMatchObject({ reason: 'DatabaseUnreachable' });
      // No other server accepts writes, so a reading connection gets the standby.
      expect(await portOf()).toBe(standby.port);
      await expect(withClient(several, (client) => client.query('SELECT 1'))).rejects.toThrow('read-only');
      second.isDown = false;
      await expect.poll(() => withClient(several, async () => 'writable').catch(() => 'read-only')).toBe('writable');
      await expect(
        withClient(
          accessOf(`postgresql://postgres@127.0.0.1:${nowhere},127.0.0.1:${nowhere}/d`),
          async () => undefined,
        ),
      ).rejects.toThrow(new RegExp(`${nowhere}.*; cannot connect to .*${nowhere}`, 's'));
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('a pool', () => {
  it('waits for a row no longer than its limit, and cancels the statement on the server', async () => {
    const source = await pooled(access);
    const holder = newClient(access);
    await holder.connect();
    try {
      await holder.query('BEGIN; SELECT FROM store FOR UPDATE');
      await expect(source.query('UPDATE store SET created_at = created_at')).rejects.toMatchObject({ code: '55P03' });
    } finally {
      await holder.end();
      await source.destroy();
    }
  });

  it('recognizes a read-only server at connect, and uses no connection again that reported one', async () => {
    const source = await pooled(access);
    const pid = await pidOf(source);
    const reader = await startRegistryApi({
      ...ALONE,
      database: access,
      host: '127.0.0.1',
      port: 0,
      internalPort: 0,
      registries: onlyRegistry(OPEN),
      version: { version: '1.2.3', commit: 'abc', buildDate: '2026-11-22' },
      logger: pino({ level: 'silent' }),
    });
    const set = (value: 'on' | 'off') =>
      postgres.asSuperuser(async (client) => {
        await client.query('SET default_transaction_read_only = off');
        await client.query(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
        await client.query('SELECT pg_reload_conf()');
      });
    const change = () => source.query('UPDATE store SET created_at = created_at');
    const states = async () => {
      const readiness = (await (await fetch(`${reader.url}/readiness`)).json()) as { detail?: string };
      const metrics = await (await fetch(`${reader.internalUrl}/metrics`)).text();
      const { headers } = await fetch(`${reader.url}/v0.1/servers`);
      return {
        isTold: readiness.detail?.includes('read-only') === true,
        metric: /^thv_reg_srv_database_read_only (\d)$/m.exec(metrics)?.[1],
        isStale: headers.has('x-registry-stale'),
      };
    };
    try {
      await reader.catalogue.nextChange();
      await set('on');
      await expect
        .poll(() =>
          change().then(
            () => '',
            (error: { code?: string }) => error.code,
          ),
        )
        .toBe('25006');
      await expect(change()).rejects.toThrow(/read-only.*name the primary/s);
      await postgres.asSuperuser((client) => client.query('NOTIFY catalogue_changed'));
      await expect.poll(states).toEqual({ isTold: true, metric: '1', isStale: true });
      await set('off');
      await expect
        .poll(() =>
          change().then(
            () => 'done',
            () => 'refused',
          ),
        )
        .toBe('done');
      expect(await pidOf(source)).not.toBe(pid);
      await expect.poll(states).toMatchObject({ isTold: false, metric: '0' });
    } finally {
      await set('off');
      await reader.close();
      await source.destroy();
    }
  });
});
