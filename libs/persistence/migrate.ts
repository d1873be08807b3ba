import { MigrationExecutor } from 'typeorm';
import type { QueryRunner } from 'typeorm';
import { RegistryError } from '#domain/registry-error.js';
import { withClient } from './database-client.js';
import { demandSessions } from './demand-sessions.js';
import { databaseFault } from './database-fault.js';
import { createDataSource } from './database.js';
import type { Database, DatabaseAccess } from './database-place.js';

/**
 * Key of the advisory lock that prevents concurrent migrations. The number is arbitrary but must be the same in all
 * versions of this program.
 */
const MIGRATION_LOCK = 5_124_377_001;
/** Timeout for the migration lock and for table locks. A process that holds one for longer is stuck. */
const LOCK_TIMEOUT = '5min';

/**
 * Migrates the schema as the migrating role and grants the app role what it needs, which is access to rows but not to
 * the schema. Idempotent and safe to run in several processes at the same time: TypeORM takes no lock, so this takes
 * one on the connection that migrates. Returns the names of the migrations that ran. Throws a RegistryError if it
 * fails.
 */
export async function migrate(database: Database): Promise<string[]> {
  const { migrator, app } = database;
  // Logs in as the app role first, to prove that it can before anything is changed.
  const role = await withClient(
    app,
    async (client) => {
      await demandSessions(app, client);
      const { rows } = await client.query<{ role: string }>('SELECT current_user AS role');
      return (rows[0] as { role: string }).role;
    },
    { isBare: true },
  );
  const dataSource = createDataSource(migrator, { maxConnections: 2, onError: () => undefined });
  try {
    await dataSource.initialize();
    const runner = dataSource.createQueryRunner();
    try {
      // Most starts do not need the lock. If the node of a migrating process died, the lock is held until the database
      // server notices.
      if (await isUpToDate(new MigrationExecutor(dataSource, runner), runner, role)) return [];
      await runner.query(`SET lock_timeout = '${LOCK_TIMEOUT}'`);
      await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
      const ran = await new MigrationExecutor(dataSource, runner).executePendingMigrations();
      await grantRows(runner, role, app);
      return ran.map((migration) => migration.name);
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
      await runner.release();
    }
  } catch (error) {
    throw databaseFault(error, migrator, 'migrate');
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
}

async function isUpToDate(executor: MigrationExecutor, runner: QueryRunner, role: string): Promise<boolean> {
  const pending = await executor.getPendingMigrations();
  return pending.length === 0 && (await missingGrants(runner, role)).length === 0;
}

/**
 * Grants the app role access to rows. Writes nothing if the role already has all rights. Only tables of this program
 * are included, because the schema may contain others.
 */
async function grantRows(runner: QueryRunner, role: string, app: DatabaseAccess): Promise<void> {
  for (const { statement } of await missingGrants(runner, role)) await runner.query(statement);
  // If the migrating role lacks the right to grant, the server only warns, so the result is checked.
  const missing = await missingGrants(runner, role);
  if (missing.length === 0) return;
  throw new RegistryError(
    'DatabasePermissionDenied',
    `role ${role} cannot use database ${app.database}, and the migrating role may not change that: ` +
      `run as owner of schema public: ${missing.map(({ statement }) => statement).join('; ')}`,
  );
}

/**
 * Returns the statements for missing grants. Uses CASE rather than AND, because the server may evaluate the
 * operands of an AND in any order, and has_sequence_privilege fails on a table.
 */
async function missingGrants(runner: QueryRunner, role: string): Promise<{ statement: string }[]> {
  return (await runner.query(
    `SELECT format('GRANT USAGE ON SCHEMA public TO %I', $1::text) AS statement
      WHERE NOT has_schema_privilege($1, 'public', 'USAGE')
     UNION ALL
     SELECT format('GRANT %s TO %I', CASE relkind
              WHEN 'r' THEN format('SELECT, INSERT, UPDATE, DELETE ON %s', oid::regclass)
              WHEN 'S' THEN format('USAGE ON SEQUENCE %s', oid::regclass)
            END, $1::text)
       FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relname <> 'migrations' AND pg_has_role(relowner, 'USAGE')
        AND NOT CASE relkind
              WHEN 'r' THEN has_table_privilege($1, oid, 'SELECT') AND has_table_privilege($1, oid, 'INSERT')
                        AND has_table_privilege($1, oid, 'UPDATE') AND has_table_privilege($1, oid, 'DELETE')
              WHEN 'S' THEN has_sequence_privilege($1, oid, 'USAGE')
              ELSE true
            END`,
    [role],
  )) as { statement: string }[];
}

/**
 * Returns the identity of the database, which its first migration created. Two processes with the same identity share
 * their rows.
 */
export function readStoreId(app: DatabaseAccess): Promise<string> {
  return withClient(app, async (client) => {
    const { rows } = await client.query<{ id: string }>('SELECT id FROM store');
    return (rows[0] as { id: string }).id;
  });
}
