import { afterAll, beforeAll, expect, it } from 'vitest';
import { databaseOnDefault, defaultDatabaseSpec } from '#spec/default-database.js';
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

function tenant(namespace: string, name: string, password: string, readers = 0): TenantAccess {
  const spec = defaultDatabaseSpec.parse(server());
  const { user, database } = databaseOnDefault(spec, { namespace, name });
  return { ...server(), user, database, password, readers };
}

const tables = (access: TenantAccess) =>
  withClient(
    access,
    async (client) => (await client.query('SELECT count(*)::int AS n FROM store')).rows[0].n as number,
  );

it('gives each registry a database that it can use, and that no other registry can open', async () => {
  const [a, b] = [tenant('team-a', 'tools', 'pa'), tenant('team-b', 'tools', 'pb')];
  for (const [each, namespace] of [
    [a, 'team-a'],
    [b, 'team-b'],
  ] as const) {
    await ensureTenantDatabase(admin(), each);
    await migrate({ app: each, migrator: each });
    await claimStore(each, { namespace, name: 'tools' });
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

it('does nothing the second time, and needs no administrator for it', async () => {
  const access = tenant('team', 'again', 'p');
  await ensureTenantDatabase(admin(), access);
  const state = () =>
    postgres.asSuperuser(async (client) => [
      (await client.query('SELECT xmin, rolpassword FROM pg_authid WHERE rolname = $1', [access.user])).rows,
      (await client.query('SELECT xmin, datacl FROM pg_database WHERE datname = $1', [access.database])).rows,
    ]);
  const before = await state();
  await ensureTenantDatabase({ ...admin(), password: 'wrong' }, access);
  expect(await state()).toEqual(before);
});

it('keeps the data of a registry whose password got lost', async () => {
  const access = tenant('team', 'lost', 'first');
  await ensureTenantDatabase(admin(), access);
  await withClient(access, (client) => client.query('CREATE TABLE kept ()'));
  const renewed = { ...access, password: 'second' };
  await ensureTenantDatabase(admin(), renewed);
  await withClient(renewed, (client) => client.query('SELECT FROM kept'));
  await expect(withClient(access, async () => undefined)).rejects.toMatchObject({ reason: 'DatabaseAuthFailed' });
});

it('closes a database that was opened to all, and leaves the administrator no member of the role', async () => {
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

it('never takes over a database of another owner', async () => {
  const access = tenant('team', 'foreign', 'p');
  await postgres.asSuperuser((client) => client.query(`CREATE DATABASE ${access.database}`));
  await expect(ensureTenantDatabase(admin(), access)).rejects.toMatchObject({
    reason: 'DatabasePermissionDenied',
    message: expect.stringContaining('belongs to another role: ALTER DATABASE'),
  });
});

it('says what an administrator without the rights for it lacks', async () => {
  await postgres.asSuperuser((client) => client.query("CREATE ROLE weak LOGIN PASSWORD 'weak'"));
  const weak = { ...admin(), user: 'weak', password: 'weak' };
  await expect(ensureTenantDatabase(weak, tenant('team', 'weak', 'p'))).rejects.toMatchObject({
    reason: 'DatabasePermissionDenied',
    message: expect.stringContaining('ALTER ROLE "weak" CREATEDB CREATEROLE'),
  });
});

it('makes both once when two provisioning passes run at the same time', async () => {
  const access = tenant('team', 'race', 'p');
  await Promise.all([ensureTenantDatabase(admin(), access), ensureTenantDatabase(admin(), access)]);
  expect(await withClient(access, async () => 'open')).toBe('open');
});

async function limitOf({ user }: TenantAccess): Promise<number> {
  const sql = 'SELECT rolconnlimit FROM pg_roles WHERE rolname = $1';
  const { rows } = await postgres.asSuperuser((client) => client.query<{ rolconnlimit: number }>(sql, [user]));
  return rows[0]!.rolconnlimit;
}

it('limits the connections of a tenant by the number of its readers', async () => {
  const access = tenant('team', 'bounded', 'p');
  await ensureTenantDatabase(admin(), access);
  expect(await limitOf(access)).toBe(30);
  await ensureTenantDatabase(admin(), { ...access, readers: 10 });
  expect(await limitOf(access)).toBe(74);
});

it('raises the limit of a tenant that has used it up', async () => {
  const access = tenant('team', 'full', 'p');
  await ensureTenantDatabase(admin(), access);
  await postgres.asSuperuser((client) => client.query(`ALTER ROLE ${access.user} CONNECTION LIMIT 1`));
  await withClient(access, () => ensureTenantDatabase(admin(), { ...access, readers: 1 }));
  expect(await limitOf(access)).toBe(38);
});

it('leaves a limit that an administrator has raised or taken away', async () => {
  const access = tenant('team', 'raised', 'p');
  await ensureTenantDatabase(admin(), access);
  for (const limit of [31, -1]) {
    await postgres.asSuperuser((client) => client.query(`ALTER ROLE ${access.user} CONNECTION LIMIT ${limit}`));
    await ensureTenantDatabase({ ...admin(), password: 'wrong' }, access);
    expect(await limitOf(access)).toBe(limit);
  }
});

it('calls no function that another role put before those of the catalogue', async () => {
  const access = tenant('team', 'shadowed', 'p');
  await postgres.asSuperuser(async (client) => {
    await client.query('CREATE FUNCTION public.hashtext(text) RETURNS int LANGUAGE sql AS $$ SELECT 1 / 0 $$');
    await client.query('ALTER ROLE mcp_registry_operator SET search_path = public, pg_catalog');
  });
  await ensureTenantDatabase(admin(), access);
  expect(await withClient(access, async () => 'open')).toBe('open');
});
