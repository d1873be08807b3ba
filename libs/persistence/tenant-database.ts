import pg from 'pg';
import type { Client } from 'pg';
import { RegistryError } from '#domain/registry-error.js';
import { withClient } from './database-client.js';
import { databaseFault } from './database-fault.js';
import type { DatabaseAccess } from './database-place.js';
import { scramVerifier } from './scram-verifier.js';

/** A role that may log in to one database, which it owns. */
export interface TenantAccess extends DatabaseAccess {
  readonly password: string;
  /** Read-only servers of the registry, each with connections of its own. */
  readonly readers: number;
}

/** Any number, as long as every version of this program takes the same. */
const TENANT_LOCK = 512_437_701;

/** Connections of the server that syncs: two pods of the default pool while one replaces the other. */
const SERVER_CONNECTIONS = 30;
/** Connections of one read-only server: one that listens, and those of the pools of documents and views. */
const READER_CONNECTIONS = 4;

/** Returns the most connections of one tenant, so that none takes all that the server has. One reader more starts while readers are replaced. */
function connectionLimit({ readers }: TenantAccess): number {
  return SERVER_CONNECTIONS + (readers > 0 ? READER_CONNECTIONS * (readers + 1) : 0);
}

const FORBIDDEN = '42501';
/** Two provisioning passes that run at once make the same role and the same database: the later one finds them. */
const EXISTS = ['42710', '42P04', '23505'];

/**
 * Makes a role, its password and a database that it owns, as an administrator that has CREATEROLE and CREATEDB, and keeps every other
 * role out of that database. Idempotent: when the tenant can log in with as many connections as it needs and its database is closed,
 * nothing is written and the administrator is not needed. Throws a RegistryError that names server, role and remedy.
 */
export async function ensureTenantDatabase(admin: DatabaseAccess, tenant: TenantAccess): Promise<void> {
  if (await closeDatabase(tenant).catch(() => false)) return;
  await withClient(admin, async (client) => {
    try {
      // A role that may create objects in the administrator's database must not replace functions and operators of the catalogue.
      await client.query('SET search_path = pg_catalog');
      // Two passes at once would write the same rows of the catalogue, which Postgres refuses with an internal error.
      await client.query(`SET lock_timeout = '10s'`);
      await client.query('SELECT pg_advisory_lock($1::int, hashtext($2::text))', [TENANT_LOCK, tenant.database]);
      await makeRole(client, tenant);
      await makeDatabase(client, tenant);
    } catch (error) {
      if (codeOf(error) !== FORBIDDEN)
        throw databaseFault(error, admin, `make role and database ${tenant.database} in`);
      const role = pg.escapeIdentifier(admin.user);
      const message =
        `${role} may not make role and database ${tenant.database} at ${admin.host}: ${(error as Error).message}; ` +
        `let it, by ALTER ROLE ${role} CREATEDB CREATEROLE, and remove a role of this name that it did not make`;
      throw new RegistryError('DatabasePermissionDenied', message, 'wait', { cause: error });
    }
  });
  await closeDatabase(tenant);
}

/** What Postgres says of the limit of a role that has none. */
const UNLIMITED = -1;

interface Closure {
  readonly open: boolean;
  readonly owned: boolean;
  readonly limit: number;
}

/**
 * Takes from every role but the owner the right to connect, which Postgres gives to all. Runs as the tenant itself: a session that
 * had only switched to its role could switch back. Returns whether the tenant may have as many connections as it needs, which only the
 * administrator can change.
 */
async function closeDatabase(tenant: TenantAccess): Promise<boolean> {
  return withClient(tenant, async (client) => {
    const { rows } = await client.query<Closure>(
      `SELECT has_database_privilege('public', datname, 'CONNECT') AS open, datdba = r.oid AS owned, rolconnlimit AS "limit"
         FROM pg_database, pg_roles r WHERE datname = current_database() AND rolname = current_user`,
    );
    const { open, owned, limit } = rows[0] as Closure;
    if (!owned) throw ownedByAnother(tenant);
    if (open) await client.query(`REVOKE ALL ON DATABASE ${pg.escapeIdentifier(tenant.database)} FROM PUBLIC`);
    return limit === UNLIMITED || limit >= connectionLimit(tenant);
  });
}

function ownedByAnother({ database, host, user }: TenantAccess): RegistryError {
  const [name, role] = [database, user].map((each) => pg.escapeIdentifier(each));
  const message = `database ${name} at ${host} belongs to another role: ALTER DATABASE ${name} OWNER TO ${role}, or rename it`;
  return new RegistryError('DatabasePermissionDenied', message, 'wait');
}

async function makeRole(client: Client, tenant: TenantAccess): Promise<void> {
  const { user, password } = tenant;
  const role = pg.escapeIdentifier(user);
  const login = `LOGIN CONNECTION LIMIT ${connectionLimit(tenant)} PASSWORD ${pg.escapeLiteral(scramVerifier(password))}`;
  await unlessExists(client.query(`CREATE ROLE ${role} ${login}`));
  await client.query(`ALTER ROLE ${role} ${login}`);
}

async function makeDatabase(client: Client, { user, database }: TenantAccess): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1::name', [database]);
  if (rowCount) return;
  const role = pg.escapeIdentifier(user);
  // Only a member of a role may make a database for it. A superuser is one of every role, and keeps nothing from this.
  await client.query(`GRANT ${role} TO CURRENT_USER`);
  await unlessExists(client.query(`CREATE DATABASE ${pg.escapeIdentifier(database)} OWNER ${role} TEMPLATE template0`));
  await client.query(`REVOKE ${role} FROM CURRENT_USER`);
}

async function unlessExists(statement: Promise<unknown>): Promise<void> {
  await statement.catch((error: unknown) => {
    if (!EXISTS.includes(codeOf(error))) throw error;
  });
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code);
}
