import pg from 'pg';
import { MigrationExecutor } from 'typeorm';
import { createDataSource } from './database.js';
import type { Database } from './database.js';

/** Any number, as long as every version of this program takes the same: it keeps two starting processes apart. */
const MIGRATION_LOCK = 5_124_377_001;

/**
 * Brings the schema up to date as the migrating role and grants the app role what it needs: rows, never tables.
 * Safe to repeat and to run in several processes at once: TypeORM itself takes no lock, so one is taken on the very
 * connection that migrates. Returns the names of the migrations that ran.
 */
export async function migrate(database: Database): Promise<string[]> {
  const dataSource = createDataSource(database.migrator, { maxConnections: 2, onError: () => undefined });
  await dataSource.initialize();
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const ran = await new MigrationExecutor(dataSource, runner).executePendingMigrations();
    const [{ appRole }] = (await connectedRole(database)) as [{ appRole: string }];
    await runner.query(`
      GRANT USAGE ON SCHEMA public TO ${appRole};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${appRole};
      GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO ${appRole};
    `);
    return ran.map((migration) => migration.name);
  } finally {
    await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await runner.release();
    await dataSource.destroy();
  }
}

/** The app role as the server names it, quoted for use in a statement; logging in as it proves that it can. */
async function connectedRole(database: Database): Promise<unknown[]> {
  const client = new pg.Client(database.app);
  await client.connect();
  try {
    return (await client.query('SELECT quote_ident(current_user) AS "appRole"')).rows;
  } finally {
    await client.end();
  }
}

/** The identity of the database, made by its first migration: two processes with the same one share their rows. */
export async function readStoreId(app: pg.ClientConfig): Promise<string> {
  const client = new pg.Client(app);
  await client.connect();
  try {
    return ((await client.query('SELECT id FROM store')).rows[0] as { id: string }).id;
  } finally {
    await client.end();
  }
}
