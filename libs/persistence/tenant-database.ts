import pg from 'pg';
import type { Client } from 'pg';
import { RegistryError } from '#domain/registry-error.js';
import { withClient } from './database-client.js';
import { databaseFault } from './database-fault.js';
import type { DatabaseAccess } from './database-place.js';
import { scramVerifier } from './scram-verifier.js';

/** A role that can log in to one database, which it owns. */
export interface TenantAccess extends DatabaseAccess {
  readonly password: string;
  /** Maximum number of connections of the role, so that one tenant cannot use up those of the server. */
  readonly connections: number;
  /** The registry that the role is for; recorded in the comment of the role. */
  readonly holder: TenantHolder;
}

/**
 * Identifies a registry across clusters, because two clusters may use the same database server, and their registries
 * may have the same names.
 */
export interface TenantHolder {
  /** Id of the cluster; absent if it is unknown. */
  readonly cluster?: string | undefined;
  readonly uid: string;
}

/** Key of an advisory lock. The number is arbitrary but must be the same in all versions of this program. */
const TENANT_LOCK = 512_437_701;

/**
 * Maximum number of bytes that a session of {@link ensureTenantDatabase} receives. It is limited because the server
 * reports settings at each login that the tenant controls.
 */
const RECEIVED_LIMIT = 256 * 1024;

/** Maximum wait for another provisioning pass over the same tenant. */
const TURN_MS = 2_000;

const LOCK_TIMEOUT = '55P03';
const FORBIDDEN = '42501';
const UNIQUE_VIOLATION = '23505';
const TOO_MANY_CONNECTIONS = '53300';
/**
 * SQLSTATE `internal_error`, which Postgres reports if another session has written the same row of the catalogue
 * meanwhile.
 */
const OVERTAKEN = 'XX000';
/**
 * SQLSTATEs for an object that already exists. Two concurrent provisioning passes create the same role and database,
 * and the later one gets these errors.
 */
const EXISTS = ['42710', '42P04', UNIQUE_VIOLATION];

/**
 * Creates a role, its password and a database owned by it, and closes that database to every other role. Needs an
 * administrator with CREATEROLE and CREATEDB. Idempotent: whatever is already correct is not written again.
 *
 * The tenant chooses the schemas and settings of its sessions. Therefore the administrator reads only the catalogue,
 * and a session of the tenant evaluates no expression.
 *
 * Throws a RegistryError that contains the server, the role and the remedy. It is `DatabaseOwnedByAnother` if the role
 * belongs to another cluster, whose password would be replaced.
 */
export async function ensureTenantDatabase(admin: DatabaseAccess, tenant: TenantAccess): Promise<void> {
  const known = await asAdministrator(admin, tenant, (client) => readState(client, tenant));
  demandOwn(known, tenant);
  const isLimited = known.limit === UNLIMITED || known.limit === tenant.connections;
  const isMarked = known.comment === (commentOf(tenant) ?? known.comment);
  const isWhole = known.isOwned && isLimited && isMarked && !known.isMember;
  const isOpen = known.isOpen !== false;
  if (isWhole && (await canLogIn(tenant, isOpen))) return;
  await asAdministrator(admin, tenant, async (client) => {
    // Check again, because another cluster may have created the role in the meantime.
    demandOwn(await readState(client, tenant), tenant);
    await makeRole(client, tenant);
    await makeDatabase(client, tenant);
    const { isOwned, isMember } = await readState(client, tenant);
    if (isMember) await client.query(`REVOKE ${pg.escapeIdentifier(tenant.user)} FROM CURRENT_USER`);
    if (!isOwned) throw ownedByAnother(tenant);
  });
  if (isOpen) await retryOvertaken(() => closeDatabase(tenant));
}

/** Runs `work` in a session of the administrator. Sessions for the same tenant run one at a time. */
function asAdministrator<T>(
  admin: DatabaseAccess,
  tenant: TenantAccess,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  return withClient(
    admin,
    async (client) => {
      try {
        // Prevents a role that may create objects in the administrator's database from replacing functions and
        // operators of the catalogue.
        await client.query('SET search_path = pg_catalog');
        await takeTurns(client, tenant);
        return await retryOvertaken(() => work(client));
      } catch (error) {
        throw explain(error, admin, tenant);
      }
    },
    { maxReceivedBytes: RECEIVED_LIMIT },
  );
}

/**
 * Lets a later pass over the same tenant wait for an earlier one, because Postgres refuses concurrent writes to the
 * same rows of the catalogue. The wait is bounded, because every role that may connect to this database can hold the
 * lock. Without the lock the rest still succeeds, because it is idempotent.
 */
async function takeTurns(client: Client, { database }: TenantAccess): Promise<void> {
  await client.query(`SET lock_timeout = '${TURN_MS}ms'`);
  await client
    .query('SELECT pg_advisory_lock($1::int, hashtext($2::text))', [TENANT_LOCK, database])
    .catch((error: unknown) => {
      if (codeOf(error) !== LOCK_TIMEOUT) throw error;
    });
  await client.query(`SET lock_timeout = '10s'`);
}

/**
 * Runs idempotent work again, at most three times, if it fails because a concurrent pass has changed the same rows of
 * the catalogue. `signs` are the SQLSTATEs that indicate this.
 */
async function retryOvertaken<T>(work: () => Promise<T>, signs = [OVERTAKEN], retries = 3): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const codes = [codeOf(error), codeOf((error as Error).cause)];
    if (retries === 0 || !codes.some((code) => signs.includes(code))) throw error;
    return retryOvertaken(work, signs, retries - 1);
  }
}

function explain(error: unknown, admin: DatabaseAccess, { database }: TenantAccess): RegistryError {
  if (codeOf(error) !== FORBIDDEN) return databaseFault(error, admin, `create role and database ${database} in`);
  const role = pg.escapeIdentifier(admin.user);
  const message =
    `${role} may not create role and database ${database} at ${admin.host}: ${(error as Error).message}; ` +
    `allow it with ALTER ROLE ${role} CREATEDB CREATEROLE, and remove a role of this name that it did not create`;
  return new RegistryError('DatabasePermissionDenied', message, 'wait', { cause: error });
}

/** The connection limit that Postgres reports for a role without a limit. Only an administrator can have removed it. */
const UNLIMITED = -1;

/** The state of a tenant according to the catalogue. Fields are null if the role or the database does not exist. */
interface TenantState {
  readonly limit: number | null;
  /** Comment of the role, which only the role's administrator can write. */
  readonly comment: string | null;
  readonly isOwned: boolean | null;
  /** Whether every role may connect to the database. */
  readonly isOpen: boolean | null;
  /** Whether the administrator has made itself a member of the role: a process ended before it could revoke that. */
  readonly isMember: boolean;
}

/** Reads the state from the catalogues that all databases share. */
async function readState(client: Client, { user, database }: TenantAccess): Promise<TenantState> {
  const { rows } = await client.query<TenantState>(
    `SELECT r.rolconnlimit AS "limit", pg_catalog.left(pg_catalog.shobj_description(r.oid, 'pg_authid'), 200) AS comment,
            d.datdba OPERATOR(pg_catalog.=) r.oid AS "isOwned",
            pg_catalog.has_database_privilege('public', d.oid, 'CONNECT') AS "isOpen",
            EXISTS (SELECT FROM pg_catalog.pg_auth_members m
                     WHERE m.roleid OPERATOR(pg_catalog.=) r.oid AND m.member OPERATOR(pg_catalog.=) m.grantor
                       AND m.member OPERATOR(pg_catalog.=) a.oid) AS "isMember"
       FROM (SELECT oid FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) current_user) AS a
       LEFT JOIN pg_catalog.pg_roles r ON r.rolname OPERATOR(pg_catalog.=) $1::pg_catalog.name
       LEFT JOIN pg_catalog.pg_database d ON d.datname OPERATOR(pg_catalog.=) $2::pg_catalog.name
      LIMIT 1`,
    [user, database],
  );
  const { limit = null, comment = null, isOwned = null, isOpen = null, isMember = false } = rows[0] ?? {};
  return { limit, comment, isOpen, isMember, isOwned: isOpen !== null && limit === null ? false : isOwned };
}

/**
 * Throws if the database belongs to another role, or the role to another cluster. A matching uid proves that the
 * cluster is the same.
 */
function demandOwn({ isOwned, comment }: TenantState, tenant: TenantAccess): void {
  if (isOwned === false) throw ownedByAnother(tenant);
  const [, cluster, uid] = COMMENT.exec(comment ?? '') ?? [];
  if (cluster === undefined || cluster === tenant.holder.cluster || uid === tenant.holder.uid) return;
  throw heldElsewhere(tenant, cluster, uid as string);
}

const COMMENT = /^MCPRegistry of cluster ([\w-]+), uid ([\w-]+)$/;

/** Returns the comment that a role should have; null if the cluster is unknown. */
function commentOf({ holder: { cluster, uid } }: TenantAccess): string | null {
  return cluster === undefined ? null : `MCPRegistry of cluster ${cluster}, uid ${uid}`;
}

/** Returns whether the tenant can log in with its password. Closes its database to other roles if requested. */
async function canLogIn(tenant: TenantAccess, isToBeClosed: boolean): Promise<boolean> {
  try {
    await (isToBeClosed ? closeDatabase(tenant) : asTenant(tenant));
    return true;
  } catch (error) {
    // If the role has too many connections, its password was accepted.
    return !isToBeClosed && codeOf((error as RegistryError).cause) === TOO_MANY_CONNECTIONS;
  }
}

/**
 * Revokes the right to connect, which Postgres grants to every role, from all roles but the owner. Runs in a session of
 * the tenant itself, because a session that only switched to its role could be switched back.
 */
function closeDatabase(tenant: TenantAccess): Promise<void> {
  return asTenant(
    tenant,
    `SET search_path = pg_catalog; SET lock_timeout = '10s'; SET statement_timeout = '10s';
     REVOKE ALL ON DATABASE ${pg.escapeIdentifier(tenant.database)} FROM PUBLIC`,
  );
}

/** Logs in as the tenant and runs statements that do not look up any function, operator or relation. */
function asTenant(tenant: TenantAccess, statements?: string): Promise<void> {
  return withClient(tenant, async (client) => void (statements && (await client.query(statements))), {
    isBare: true,
    maxReceivedBytes: RECEIVED_LIMIT,
  });
}

function ownedByAnother({ database, host, user }: TenantAccess): RegistryError {
  const [name, role] = [database, user].map((each) => pg.escapeIdentifier(each));
  const message = `database ${name} at ${host} belongs to another role: ALTER DATABASE ${name} OWNER TO ${role}, or rename it`;
  return new RegistryError('DatabasePermissionDenied', message, 'wait');
}

function heldElsewhere({ database, host, user, holder }: TenantAccess, cluster: string, uid: string): RegistryError {
  const message =
    `database ${database} at ${host} belongs to an MCPRegistry (uid ${uid}) of cluster ${cluster}, not of ${holder.cluster ?? 'no cluster'}: ` +
    'give each cluster a databasePrefix of its own. To move the registry here, delete it there, then run: ' +
    `COMMENT ON ROLE ${pg.escapeIdentifier(user)} IS NULL, and in that database: UPDATE store SET owner = NULL`;
  return new RegistryError('DatabaseOwnedByAnother', message, 'wait');
}

async function makeRole(client: Client, tenant: TenantAccess): Promise<void> {
  const { user, password, connections } = tenant;
  const role = pg.escapeIdentifier(user);
  const login = `LOGIN CONNECTION LIMIT ${connections} PASSWORD ${pg.escapeLiteral(scramVerifier(password))}`;
  await unlessExists(client.query(`CREATE ROLE ${role} ${login}`));
  await client.query(`ALTER ROLE ${role} ${login}`);
  const comment = commentOf(tenant);
  if (comment !== null) await client.query(`COMMENT ON ROLE ${role} IS ${pg.escapeLiteral(comment)}`);
}

/**
 * Creates the database unless it exists. A concurrent pass can grant the same membership (a unique violation), or
 * revoke it before this pass has created the database (a missing right).
 */
function makeDatabase(client: Client, tenant: TenantAccess): Promise<void> {
  return retryOvertaken(() => createDatabase(client, tenant), [OVERTAKEN, UNIQUE_VIOLATION, FORBIDDEN]);
}

async function createDatabase(client: Client, { user, database }: TenantAccess): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1::name', [database]);
  if (rowCount) return;
  const role = pg.escapeIdentifier(user);
  // Only a member of a role may create a database for that role. A superuser is a member of every role and needs no
  // grant.
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
