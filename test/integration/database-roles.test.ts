import { randomUUID } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RegistryError } from '#domain/registry-error.js';
import { databaseOf } from '#persistence/database-access.js';
import { claimStore } from '#persistence/claim-store.js';
import { createDataSource } from '#persistence/database.js';
import type { Database } from '#persistence/database-place.js';
import { migrate } from '#persistence/migrate.js';
import { openDatabase } from '#registry-api/open-database.js';
import { runMigrate } from '#registry-api/run-migrate.js';

/**
 * A database as an administrator often creates it: neither role owns it, and since Postgres 15 nobody else may create
 * objects in it.
 */
let name: string;
let database: Database;

beforeEach(async () => {
  name = `test_${randomBytes(6).toString('hex')}`;
  const host = process.env['TEST_POSTGRES_SOCKET'] as string;
  const [app, migrator] = ['app', 'migrator'].map((role) => ({ host, database: name, user: `${name}_${role}` }));
  database = { app: app as Database['app'], migrator: migrator as Database['migrator'] };
  await asAdmin(`CREATE DATABASE ${name}`, 'postgres');
  await asAdmin(`CREATE ROLE ${name}_app LOGIN; CREATE ROLE ${name}_migrator LOGIN`);
});

afterEach(async () => {
  await asAdmin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`, 'postgres');
  await asAdmin(`DROP ROLE ${name}_app, ${name}_migrator`, 'postgres');
});

async function run(user: string, sql: string, where: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ host: database.app.host, user, database: where });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

const asAdmin = (sql: string, where = name) => run('postgres', sql, where);
const asApp = (sql: string) => run(database.app.user, sql, name);
const letMigratorCreate = () => asAdmin(`GRANT CREATE ON SCHEMA public TO ${name}_migrator`);
const failureOf = (doing: Promise<unknown>) =>
  doing.then(
    () => undefined,
    ({ reason, message }: RegistryError) => ({ reason, message }),
  );

describe('a migrating role that does not own the database', () => {
  it('is told what to grant it, and nothing is made', async () => {
    const { app, migrator } = database;
    expect(await failureOf(migrate(database))).toEqual({
      reason: 'DatabasePermissionDenied',
      message: expect.stringContaining(
        `cannot migrate database ${name} at ${app.host} as ${migrator.user}: permission denied for schema public; ` +
          'grant it, as owner of the database: ',
      ),
    });
    expect(await asAdmin("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")).toEqual([]);
  });

  it('migrates when it may create in the schema, and grants the app role rows of its tables only', async () => {
    await letMigratorCreate();
    await asAdmin('CREATE TABLE of_somebody_else (id int)');
    expect(await migrate(database)).not.toEqual([]);

    await asApp("INSERT INTO registry (namespace, name, uid) VALUES ('a', 'b', gen_random_uuid())");
    expect(await asApp('DELETE FROM registry RETURNING name')).toEqual([{ name: 'b' }]);
    await expect(asApp('CREATE TABLE mine (id int)')).rejects.toThrow('permission denied for schema public');
    await expect(asApp('DROP TABLE registry')).rejects.toThrow('must be owner of table registry');
    await expect(asApp('TRUNCATE registry')).rejects.toThrow('permission denied for table registry');
    await expect(asApp('SELECT FROM of_somebody_else')).rejects.toThrow('permission denied');
    await expect(asApp('SELECT FROM migrations')).rejects.toThrow('permission denied');
  });

  it('writes nothing the second time, not even rights', async () => {
    await letMigratorCreate();
    await migrate(database);
    const catalogue = "SELECT relname, xmin FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1";
    const before = await asAdmin(catalogue);
    expect(await migrate(database)).toEqual([]);
    expect(await asAdmin(catalogue)).toEqual(before);
  });

  it('grants the app role again what was revoked', async () => {
    await letMigratorCreate();
    await migrate(database);
    await asAdmin(`REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ${name}_app`);
    await expect(asApp('SELECT FROM store')).rejects.toThrow('permission denied');
    await migrate(database);
    expect(await asApp('SELECT FROM store')).toHaveLength(1);
  });

  it('names the grants that it cannot give itself', async () => {
    await letMigratorCreate();
    await asAdmin(`REVOKE USAGE ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO ${name}_migrator`);
    expect(await failureOf(migrate(database))).toEqual({
      reason: 'DatabasePermissionDenied',
      message: expect.stringContaining(`GRANT USAGE ON SCHEMA public TO ${name}_app`),
    });
  });
});

describe('a database that cannot be used', () => {
  it('is named when it is not there, with the statement that makes it', async () => {
    await asAdmin(`DROP DATABASE ${name}`, 'postgres');
    expect(await failureOf(migrate(database))).toEqual({
      reason: 'DatabaseUnreachable',
      message: expect.stringMatching(new RegExp(`"${name}" does not exist; create it: CREATE DATABASE ${name}$`)),
    });
  });

  it('says which role is missing', async () => {
    const nobody = { ...database, app: { ...database.app, user: 'nobody_at_all' } };
    expect(await failureOf(migrate(nobody))).toEqual({
      reason: 'DatabaseAuthFailed',
      message: expect.stringContaining('check that role nobody_at_all exists, may log in'),
    });
  });

  it('says that a role may not connect', async () => {
    await asAdmin(`REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC`);
    expect(await failureOf(migrate(database))).toEqual({
      reason: 'DatabasePermissionDenied',
      message: expect.stringContaining(`GRANT CONNECT ON DATABASE ${name} TO ${name}_app`),
    });
  });

  it('makes the command migrate end with 1 and the reason, and with 0 once that is put right', async () => {
    const lines: string[] = [];
    expect(await runMigrate(database, (line) => lines.push(line))).toBe(1);
    await letMigratorCreate();
    expect(await runMigrate(database, (line) => lines.push(line))).toBe(0);
    expect(await runMigrate(database, (line) => lines.push(line))).toBe(0);
    expect(lines).toEqual([
      expect.stringMatching(/^error: DatabasePermissionDenied: cannot migrate /),
      expect.stringMatching(/^migrated: CreateCatalogue\d+$/),
      'the schema is up to date',
    ]);
  });
});

describe('a registry server', () => {
  const team = { namespace: 'tools', name: 'team', uid: randomUUID() };

  it('starts without its database, tells each fault once, and goes on when it is there', async () => {
    await asAdmin(`DROP DATABASE ${name}`, 'postgres');
    const reasons: string[] = [];
    const opened = openDatabase(database, team, {
      signal: new AbortController().signal,
      onFault: async ({ reason }) => {
        reasons.push(reason);
        if (reason === 'DatabaseUnreachable') await asAdmin(`CREATE DATABASE ${name}`, 'postgres');
        else await letMigratorCreate();
      },
    });
    expect(await opened).toMatch(/^[0-9a-f-]{36}$/);
    expect(reasons).toEqual(['DatabaseUnreachable', 'DatabasePermissionDenied']);
    expect(await claimStore(database.app, team)).toBe(await opened);
  });

  it('leaves a database alone that is of another MCPRegistry, and names that', async () => {
    await letMigratorCreate();
    await migrate(database);
    await claimStore(database.app, team);
    expect(await failureOf(claimStore(database.app, { ...team, name: 'other' }))).toEqual({
      reason: 'DatabaseOwnedByAnother',
      message: expect.stringContaining('belongs to MCPRegistry tools/team, not tools/other'),
    });
    const before = await asAdmin('SELECT owner, claimed_by FROM store');
    await claimStore(database.app, team);
    expect(await asAdmin('SELECT owner, claimed_by FROM store')).toEqual(before);
  });
});

describe('the pool of a databaseConfig', () => {
  it('opens no more connections than it may, keeps the idle ones that it should, and replaces old ones', async () => {
    await letMigratorCreate();
    await migrate(database);
    const spec = {
      host: database.app.host,
      port: 5432,
      user: database.app.user,
      migrationUser: database.migrator.user,
      database: name,
      sslMode: 'prefer',
      maxOpenConns: 3,
      maxIdleConns: 2,
      connMaxLifetime: '10s',
    } as const;
    const { app } = databaseOf(spec, {});
    const pool = await createDataSource(app, { maxConnections: 9, onError: () => undefined }).initialize();
    try {
      const backends = await Promise.all(
        Array.from(
          { length: 12 },
          async () => (await pool.query('SELECT pg_backend_pid() AS pid, pg_sleep(0.05)'))[0].pid,
        ),
      );
      expect(new Set(backends).size).toBe(3);
      const connections = () => asAdmin(`SELECT pid FROM pg_stat_activity WHERE usename = '${app.user}'`);
      await expect.poll(connections).toEqual([]);
      const [{ pid }] = (await pool.query('SELECT pg_backend_pid() AS pid')) as [{ pid: number }];
      expect(backends).not.toContain(pid);
    } finally {
      await pool.destroy();
    }
  });

  it('takes a lifetime that no timer can count for one without end, and honours 0 idle ones', () => {
    const spec = { host: 'db', port: 5432, user: 'a', migrationUser: 'm', database: 'd', sslMode: 'prefer' } as const;
    const poolOf = (maxOpenConns: number, maxIdleConns: number, connMaxLifetime: string) =>
      databaseOf({ ...spec, maxOpenConns, maxIdleConns, connMaxLifetime }, {}).app.pool;
    expect(poolOf(10, 0, '1000h')).toEqual({ maxConnections: 10, maxIdle: 0, maxLifetimeSeconds: 0 });
    expect(poolOf(2, 2, '900ms')).toMatchObject({ maxLifetimeSeconds: 1 });
    expect(poolOf(2, 5, '30m')).toEqual({ maxConnections: 2, maxIdle: 1, maxLifetimeSeconds: 1800 });
    expect(poolOf(10, 2, '30m')?.maxIdle).toBe(1);
  });
});
