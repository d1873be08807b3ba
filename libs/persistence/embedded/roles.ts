import type { Client } from 'pg';

export const DATABASE = 'registry';

/**
 * Ensures that the database and its two roles exist. `db_migrator` owns the database and therefore schema `public`.
 * `db_app` may connect, and has no other rights than those that migrations grant. Writes nothing if everything exists.
 */
export async function ensureRoles(superuser: Client): Promise<void> {
  for (const role of ['db_migrator', 'db_app']) {
    const { rowCount } = await superuser.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
    if (!rowCount) await superuser.query(`CREATE ROLE ${role} LOGIN`);
  }
  const { rowCount } = await superuser.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
  if (!rowCount) await superuser.query(`CREATE DATABASE ${DATABASE} OWNER db_migrator`);
}
