import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectionsOf, databaseOnDefault, defaultDatabaseSpec, mostReaders } from '#spec/default-database.js';
import { claimStore } from '#persistence/claim-store.js';
import { withClient } from '#persistence/database-client.js';
import { migrate } from '#persistence/migrate.js';
import { ensureTenantDatabase } from '#persistence/tenant-database.js';
import type { TenantAccess } from '#persistence/tenant-database.js';
import { startTcpPostgres } from '#support/tcp-postgres.js';
import type { TcpPostgres } from '#support/tcp-postgres.js';

let postgres: TcpPostgres;

beforeAll(async () => {
  postgres = await startTcpPostgres();
  await postgres.setUp({ hba: ['host all all 127.0.0.1/32 scram-sha-256'] });
  await postgres.asSuperuser((client) =>
    client.query("CREATE ROLE mcp_registry_operator LOGIN CREATEROLE CREATEDB PASSWORD 'admin'"),
  );
});

afterAll(() => postgres[Symbol.asyncDispose]());

const server = () => ({ host: '127.0.0.1', port: postgres.port, sslMode: 'disable' as const });
const admin = () => ({ ...server(), user: 'mcp_registry_operator', database: 'postgres', password: 'admin' });

function tenant(namespace: string, name: string, password: string, connections = connectionsOf(0)): TenantAccess {
  const spec = defaultDatabaseSpec.parse(server());
  const { user, database } = databaseOnDefault(spec, { namespace, name });
  return {
    ...server(),
    user,
    database,
    password,
    connections,
    holder: { cluster: 'here', uid: `${namespace}-${name}` },
  };
}

const tables = (access: TenantAccess) =>
  withClient(
    access,
    async (client) => (await client.query('SELECT count(*)::int AS n FROM store')).rows[0].n as number,
  );

it('gives each registry a database that it can use, and that no other registry has access to', async () => {
  const [a, b] = [tenant('team-a', 'tools', 'pa'), tenant('team-b', 'tools', 'pb')];
  for (const [each, namespace] of [
    [a, 'team-a'],
    [b, 'team-b'],
  ] as const) {
    await ensureTenantDatabase(admin(), each);
    await migrate({ app: each, migrator: each });
    await claimStore(each, { namespace, name: 'tools', uid: randomUUID() });
  }
  expect(await Promise.all([tables(a), tables(b)])).toEqual([1, 1]);
  for (const [mine, other] of [
    [a, b],
    [b, a],
  ] as const) {
    await expect(tables({ ...mine, database: other.database })).rejects.toMatchObject({
      reason: 'DatabasePermissionDenied',
    });
    await expect(tables({ ...other, password: mine.password })).rejects.toMatchObject({ reason: 'DatabaseAuthFailed' });
    await withClient(mine, async (client) => {
      await expect(client.query(`SET ROLE "${other.user}"`)).rejects.toThrow('permission denied');
      await expect(client.query('SET ROLE mcp_registry_operator')).rejects.toThrow('permission denied');
      await expect(client.query('CREATE DATABASE mine')).rejects.toThrow('permission denied');
      await expect(client.query('CREATE ROLE mine')).rejects.toThrow('permission denied');
      await expect(client.query(`GRANT "${other.user}" TO "${mine.user}"`)).rejects.toThrow('permission denied');
      await expect(client.query(`COPY store TO PROGRAM 'cat'`)).rejects.toThrow('permission denied');
    });
  }
});

it('does nothing the second time', async () => {
  const access = tenant('team', 'again', 'p');
  await ensureTenantDatabase(admin(), access);
  const state = () =>
    postgres.asSuperuser(async (client) => [
      (await client.query('SELECT xmin, rolpassword FROM pg_authid WHERE rolname = $1', [access.user])).rows,
      (await client.query('SELECT xmin, datacl FROM pg_database WHERE datname = $1', [access.database])).rows,
    ]);
  const before = await state();
  await ensureTenantDatabase(admin(), access);
  expect(await state()).toEqual(before);
});

it('keeps the data of a registry whose password was lost', async () => {
  const access = tenant('team', 'lost', 'first');
  await ensureTenantDatabase(admin(), access);
  await withClient(access, (client) => client.query('CREATE TABLE kept ()'));
  const renewed = { ...access, password: 'second' };
  await ensureTenantDatabase(admin(), renewed);
  await withClient(renewed, (client) => client.query('SELECT FROM kept'));
  await expect(withClient(access, async () => undefined)).rejects.toMatchObject({ reason: 'DatabaseAuthFailed' });
});

it('closes a database that was opened to all, and removes the administrator from the role', async () => {
  const access = tenant('team', 'opened', 'p');
  await ensureTenantDatabase(admin(), access);
  await withClient(access, (client) => client.query(`GRANT CONNECT ON DATABASE ${access.database} TO PUBLIC`));
  await ensureTenantDatabase(admin(), access);
  const stranger = tenant('team', 'stranger', 's');
  await ensureTenantDatabase(admin(), stranger);
  await expect(withClient({ ...stranger, database: access.database }, async () => undefined)).rejects.toMatchObject({
    reason: 'DatabasePermissionDenied',
  });
  await withClient(admin(), async (client) => {
    await expect(client.query(`SET ROLE ${access.user}`)).rejects.toThrow('permission denied');
  });
});

it('revokes a membership that a killed process has left to the administrator', async () => {
  const access = tenant('team', 'interrupted', 'p');
  const demandNoMember = () =>
    withClient(admin(), (client) =>
      expect(client.query(`SET ROLE ${access.user}`)).rejects.toThrow('permission denied'),
    );
  await ensureTenantDatabase(admin(), access);
  // The process ended after it had made the database, which is open to all until the tenant closes it.
  await withClient(access, (client) => client.query(`GRANT CONNECT ON DATABASE ${access.database} TO PUBLIC`));
  await withClient(admin(), (client) => client.query(`GRANT ${access.user} TO CURRENT_USER`));
  await ensureTenantDatabase(admin(), access);
  await demandNoMember();
  // It ended before.
  await withClient(admin(), async (client) => {
    await client.query(`GRANT ${access.user} TO CURRENT_USER`);
    await client.query(`DROP DATABASE ${access.database}`);
  });
  await ensureTenantDatabase(admin(), access);
  await demandNoMember();
  expect(await withClient(access, async () => 'open')).toBe('open');
});

it('never takes over a database of another owner', async () => {
  const access = tenant('team', 'foreign', 'p');
  await postgres.asSuperuser((client) => client.query(`CREATE DATABASE ${access.database}`));
  await expect(ensureTenantDatabase(admin(), access)).rejects.toMatchObject({
    reason: 'DatabasePermissionDenied',
    message: expect.stringContaining('belongs to another role: ALTER DATABASE'),
  });
});

it('never replaces the password of a registry of the same name in another cluster', async () => {
  const access = tenant('team', 'twice', 'p');
  const elsewhere = { ...access, password: 'other', holder: { cluster: 'there', uid: 'uid-there' } };
  const refusal = {
    reason: 'DatabaseOwnedByAnother',
    message: expect.stringMatching(
      /\(uid team-twice\) of cluster here, not of there: .*databasePrefix.*COMMENT ON ROLE/,
    ),
  };
  await ensureTenantDatabase(admin(), access);
  await expect(ensureTenantDatabase(admin(), elsewhere)).rejects.toMatchObject(refusal);
  // Another cluster is refused even with the right password, which it could have from a backup of the Secrets.
  await expect(ensureTenantDatabase(admin(), { ...elsewhere, password: 'p' })).rejects.toMatchObject(refusal);
  expect(await withClient(access, async () => 'open')).toBe('open');
  // A registry that was recreated here, or whose cluster has a new id, is the same registry.
  const again = { ...access, password: 'again', holder: { cluster: 'here', uid: 'uid-again' } };
  await ensureTenantDatabase(admin(), again);
  await ensureTenantDatabase(admin(), { ...again, holder: { cluster: 'renamed', uid: 'uid-again' } });
  await expect(ensureTenantDatabase(admin(), access)).rejects.toMatchObject({ reason: 'DatabaseOwnedByAnother' });
  // An administrator can release the role deliberately by removing its comment.
  await withClient(admin(), (client) => client.query(`COMMENT ON ROLE ${access.user} IS NULL`));
  await ensureTenantDatabase(admin(), elsewhere);
  await withClient(elsewhere, async () => undefined);
  await expect(ensureTenantDatabase(admin(), again)).rejects.toMatchObject({ reason: 'DatabaseOwnedByAnother' });
});

it('belongs to one cluster when two claim it at once', async () => {
  const access = tenant('team', 'first', 'p0');
  const both = ['c0', 'c1'].map((cluster, at) => ({
    ...access,
    password: `p${at}`,
    holder: { cluster, uid: cluster },
  }));
  const outcomes = await Promise.allSettled(both.map((each) => ensureTenantDatabase(admin(), each)));
  const won = both.filter((_, at) => outcomes[at]?.status === 'fulfilled');
  expect(won).toHaveLength(1);
  expect(await withClient(won[0]!, async () => 'open')).toBe('open');
});

it('reports the missing rights of an administrator', async () => {
  await postgres.asSuperuser((client) => client.query("CREATE ROLE weak LOGIN PASSWORD 'weak'"));
  const weak = { ...admin(), user: 'weak', password: 'weak' };
  await expect(ensureTenantDatabase(weak, tenant('team', 'weak', 'p'))).rejects.toMatchObject({
    reason: 'DatabasePermissionDenied',
    message: expect.stringContaining('ALTER ROLE "weak" CREATEDB CREATEROLE'),
  });
});

it('creates both once when two provisioning passes run at the same time', async () => {
  const access = tenant('team', 'race', 'p');
  await Promise.all([ensureTenantDatabase(admin(), access), ensureTenantDatabase(admin(), access)]);
  expect(await withClient(access, async () => 'open')).toBe('open');
});

it('is created although a concurrent pass revokes the membership that this needs', async () => {
  const access = tenant('team', 'revoked', 'p');
  const revoking = withClient(admin(), (client) =>
    client.query(`SET synchronous_commit = off; DO $$ BEGIN
      WHILE NOT EXISTS (SELECT FROM pg_auth_members m WHERE m.member = m.grantor AND m.member = current_user::regrole
                          AND m.roleid = (SELECT oid FROM pg_roles WHERE rolname = '${access.user}')) LOOP
        -- A busy machine may not run this loop while there is a membership.
        IF EXISTS (SELECT FROM pg_database WHERE datname = '${access.database}') THEN RETURN; END IF;
      END LOOP;
      REVOKE "${access.user}" FROM CURRENT_USER;
    END $$`),
  );
  await Promise.all([revoking, ensureTenantDatabase(admin(), access)]);
  expect(await withClient(access, async () => 'open')).toBe('open');
});

async function limitOf({ user }: TenantAccess): Promise<number> {
  const sql = 'SELECT rolconnlimit FROM pg_roles WHERE rolname = $1';
  const { rows } = await postgres.asSuperuser((client) => client.query<{ rolconnlimit: number }>(sql, [user]));
  return rows[0]!.rolconnlimit;
}

it('is not blocked by locks of another tenant', async () => {
  const [a, b] = [tenant('locker', 'tools', 'pa'), tenant('locked', 'tools', 'pb')];
  await ensureTenantDatabase(admin(), a);
  await withClient({ ...a, database: 'postgres' }, async (client) => {
    await client.query('SELECT pg_advisory_lock(512437701, hashtext($1::text))', [b.database]);
    await Promise.all([ensureTenantDatabase(admin(), b), ensureTenantDatabase(admin(), b)]);
  });
  await migrate({ app: b, migrator: b });
  expect(await tables(b)).toBe(1);
});

it('limits the connections of a tenant by the number of its readers, and lowers the limit again', async () => {
  const access = tenant('team', 'bounded', 'p');
  await ensureTenantDatabase(admin(), access);
  expect(await limitOf(access)).toBe(30);
  await ensureTenantDatabase(admin(), { ...access, connections: connectionsOf(6) });
  expect(await limitOf(access)).toBe(58);
  await ensureTenantDatabase(admin(), access);
  expect(await limitOf(access)).toBe(30);
});

it('raises the limit of a tenant that has used it up', async () => {
  const access = tenant('team', 'full', 'p');
  await ensureTenantDatabase(admin(), access);
  await postgres.asSuperuser((client) => client.query(`ALTER ROLE ${access.user} CONNECTION LIMIT 1`));
  await withClient(access, () => ensureTenantDatabase(admin(), { ...access, connections: connectionsOf(1) }));
  expect(await limitOf(access)).toBe(38);
});

it('keeps a limit that an administrator has removed', async () => {
  const access = tenant('team', 'raised', 'p');
  await ensureTenantDatabase(admin(), access);
  await postgres.asSuperuser((client) => client.query(`ALTER ROLE ${access.user} CONNECTION LIMIT -1`));
  await ensureTenantDatabase(admin(), access);
  expect(await limitOf(access)).toBe(-1);
});

it('rejects a number of readers that needs more connections than the site allows', () => {
  for (const connectionsPerRegistry of [30, 37, 38, 60, 10_000]) {
    const readers = mostReaders({ connectionsPerRegistry });
    expect(connectionsOf(readers)).toBeLessThanOrEqual(connectionsPerRegistry);
    expect(connectionsOf(readers + 1)).toBeGreaterThan(connectionsPerRegistry);
  }
});

const HOSTILE_SCHEMA = `
  CREATE SCHEMA evil;
  CREATE TABLE evil.calls ();
  CREATE VIEW evil.pg_roles AS SELECT generate_series(1, 1000) AS g, 1::oid AS oid, current_user AS rolname,
    repeat('x', 1000000) AS rolconnlimit;
  CREATE VIEW evil.pg_database AS SELECT generate_series(1, 1000) AS g, 1::oid AS oid, current_database() AS datname, 1::oid AS datdba;
  CREATE FUNCTION evil.trap() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE '%', repeat('x', 50000000); END $$;
  CREATE FUNCTION evil.pg_backend_pid() RETURNS int LANGUAGE sql AS 'SELECT evil.trap()';
  CREATE FUNCTION evil.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT evil.trap() = 1'`;

it('evaluates nothing that a tenant has put into its sessions, and reads only what it needs', async () => {
  const access = tenant('team', 'hostile', 'p');
  await ensureTenantDatabase(admin(), access);
  await withClient(access, async (client) => {
    await client.query(HOSTILE_SCHEMA);
    await client.query(`ALTER ROLE ${access.user} SET search_path = evil, pg_catalog`);
    await client.query(`GRANT CONNECT ON DATABASE ${access.database} TO PUBLIC`);
  });
  const before = process.memoryUsage().rss;
  await ensureTenantDatabase(admin(), access);
  expect(process.memoryUsage().rss - before).toBeLessThan(50 * 1024 * 1024);
  const sql = "SELECT has_database_privilege('public', $1::name, 'CONNECT') AS open";
  const { rows } = await postgres.asSuperuser((client) => client.query(sql, [access.database]));
  expect(rows).toEqual([{ open: false }]);
  // Sessions that execute statements resolve names in the same safe way.
  expect(await withClient(access, async () => 'open')).toBe('open');
});

it('aborts a login in which the server reports an endless setting', async () => {
  const access = tenant('team', 'talkative', 'p');
  await ensureTenantDatabase(admin(), access);
  await expect(
    withClient(access, (client) => client.query(`SELECT repeat('x', 20000000)`), {
      isBare: true,
      maxReceivedBytes: 65_536,
    }),
  ).rejects.toThrow('the server sent more than 65536 bytes');
  await postgres.asSuperuser((client) =>
    client.query(
      `ALTER ROLE ${access.user} SET search_path = ${Array.from({ length: 9 }, () => `'${'x'.repeat(60_000)}'`).join(', ')}`,
    ),
  );
  const before = process.memoryUsage().rss;
  await ensureTenantDatabase(admin(), access).catch(() => undefined);
  expect(process.memoryUsage().rss - before).toBeLessThan(50 * 1024 * 1024);
});

it('calls no function that another role has put before those of the catalogue', async () => {
  const access = tenant('team', 'shadowed', 'p');
  await postgres.asSuperuser(async (client) => {
    await client.query('CREATE FUNCTION public.hashtext(text) RETURNS int LANGUAGE sql AS $$ SELECT 1 / 0 $$');
    await client.query('ALTER ROLE mcp_registry_operator SET search_path = public, pg_catalog');
  });
  await ensureTenantDatabase(admin(), access);
  expect(await withClient(access, async () => 'open')).toBe('open');
});
