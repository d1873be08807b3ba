import pg from 'pg';
import { RegistryError } from '#domain/registry-error.js';
import { withClient } from './database-client.js';
import { databaseFault } from './database-fault.js';
import type { DatabaseAccess } from './database.js';

/** There in every server, unless somebody took it away. */
const MAINTENANCE_DATABASE = 'postgres';
const ABSENT = '3D000';
const FORBIDDEN = '42501';
/** Somebody else was faster; the second when both were at it in the same moment. */
const EXISTS = ['42P04', '23505'];

/** Makes the database when the server has none of this name; the role needs CREATEDB, and owns it then. Safe to repeat. */
export async function createIfMissing(access: DatabaseAccess): Promise<void> {
  if (await exists(access)) return;
  const database = pg.escapeIdentifier(access.database);
  await withClient({ ...access, database: MAINTENANCE_DATABASE }, async (client) => {
    try {
      await client.query(`CREATE DATABASE ${database}`);
    } catch (error) {
      if (EXISTS.includes(codeOf(error))) return;
      if (codeOf(error) !== FORBIDDEN) throw databaseFault(error, access, 'create');
      const role = pg.escapeIdentifier(access.user);
      const message =
        `${role} may not create database ${database} at ${access.host}: let it, by ALTER ROLE ${role} CREATEDB, ` +
        `or create it: CREATE DATABASE ${database} OWNER ${role}`;
      throw new RegistryError('DatabasePermissionDenied', message, 'wait', { cause: error });
    }
  });
}

async function exists(access: DatabaseAccess): Promise<boolean> {
  try {
    await withClient(access, async () => undefined);
    return true;
  } catch (error) {
    if (codeOf((error as Error).cause) === ABSENT) return false;
    throw error;
  }
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code);
}
