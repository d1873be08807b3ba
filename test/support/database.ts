import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Database, DatabaseAccess } from '#persistence/database-place.js';
import { migrate } from '#persistence/migrate.js';

export interface TestDatabase extends Database {
  drop(): Promise<void>;
}

/** Creates a database with the current schema on the server that listens in the folder TEST_POSTGRES_SOCKET. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const host = process.env['TEST_POSTGRES_SOCKET'];
  if (!host) throw new Error('TEST_POSTGRES_SOCKET does not name the folder of a Postgres socket');
  const database = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin(host, async (admin) => {
    for (const role of ['db_migrator', 'db_app']) await ensureRole(admin, role);
    await admin.query(`CREATE DATABASE ${database} OWNER db_migrator`);
  });
  const app: DatabaseAccess = { host, database, user: 'db_app' };
  const migrator: DatabaseAccess = { host, database, user: 'db_migrator' };
  await migrate({ app, migrator });
  return {
    app,
    migrator,
    drop: () => asAdmin(host, async (admin) => void (await admin.query(`DROP DATABASE ${database} WITH (FORCE)`))),
  };
}

async function asAdmin(host: string, work: (admin: pg.Client) => Promise<void>): Promise<void> {
  const admin = new pg.Client({ host, user: 'postgres', database: 'postgres' });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

/**
 * Creates a role unless it exists. Roles belong to the server, so another test process may be creating the same role
 * right now.
 */
async function ensureRole(admin: pg.Client, role: string): Promise<void> {
  await admin.query(
    `DO $$ BEGIN CREATE ROLE ${role} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$`,
  );
}
