import { hash } from 'node:crypto';
import { z } from 'zod';
import { databaseSpec } from './database-spec.js';
import type { DatabaseConfig } from './database-spec.js';

/** Postgres cuts longer names. */
const IDENTIFIER_LIMIT = 63;
/** 128 bits, so that two names with the same hash cannot be found. */
const SUFFIX_LENGTH = 32;

/** The database server of registries that name none: each of them has a role and a database of its own there. */
export const defaultDatabaseSpec = databaseSpec
  .omit({
    user: true,
    migrationUser: true,
    database: true,
    caCertRef: true,
    dbAppUserPasswordSecretRef: true,
    dbMigrationUserPasswordSecretRef: true,
  })
  .extend({
    adminUser: databaseSpec.shape.user.removeDefault().default('mcp_registry_operator'),
    adminDatabase: databaseSpec.shape.database.removeDefault().default('postgres'),
    databasePrefix: z
      .string()
      .regex(/^[a-z][a-z0-9]{0,19}$/, { error: 'must be at most 20 lower case letters and digits, a letter first' })
      .default('mcp'),
  });

export type DefaultDatabase = z.output<typeof defaultDatabaseSpec>;

/** Stands in for the `databaseConfig` of a registry: a database with a role of the same name that owns it. */
export function databaseOnDefault(
  { databasePrefix, adminUser: _user, adminDatabase: _database, ...server }: DefaultDatabase,
  registry: { readonly namespace: string; readonly name: string },
): DatabaseConfig {
  const name = databaseName(databasePrefix, registry);
  return { ...server, user: name, migrationUser: name, database: name };
}

/** Unique for each registry: neither a namespace nor a name has an underscore. */
function databaseName(prefix: string, { namespace, name }: { namespace: string; name: string }): string {
  const whole = `${prefix}_${namespace}_${name}`;
  if (whole.length <= IDENTIFIER_LIMIT) return whole;
  const suffix = hash('sha256', whole).slice(0, SUFFIX_LENGTH);
  return `${whole.slice(0, IDENTIFIER_LIMIT - SUFFIX_LENGTH - 1)}_${suffix}`;
}
