import { hash } from 'node:crypto';
import { z } from 'zod';
import { databaseSpec } from './database-spec.js';
import type { DatabaseConfig } from './database-spec.js';

/** Postgres truncates longer names. */
const IDENTIFIER_LIMIT = 63;
/** Length of the hash suffix. 128 bits are enough that nobody can find two names with the same hash. */
const SUFFIX_LENGTH = 32;

/** Number of connections of the server that syncs: two pods with the default pool, while one replaces the other. */
const SERVER_CONNECTIONS = 30;
/** Number of connections of a read-only server: one that listens, and those of the pools for documents and views. */
const READER_CONNECTIONS = 4;

/**
 * Returns the number of connections of a registry with this number of readers. While readers are replaced, there is one
 * more.
 */
export function connectionsOf(readers: number): number {
  return SERVER_CONNECTIONS + (readers > 0 ? READER_CONNECTIONS * (readers + 1) : 0);
}

/**
 * Returns the maximum number of readers of a registry on the default server. The tenant chooses the number of readers,
 * but the connections belong to the site.
 */
export function mostReaders({ connectionsPerRegistry }: Pick<DefaultDatabase, 'connectionsPerRegistry'>): number {
  return Math.max(0, Math.floor((connectionsPerRegistry - SERVER_CONNECTIONS) / READER_CONNECTIONS) - 1);
}

/** The database server for registries that do not specify one. Each of them has its own role and database there. */
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
      .regex(/^[a-z][a-z0-9]{0,19}$/, {
        error: 'must be at most 20 lower-case letters and digits, starting with a letter',
      })
      .default('mcp'),
    connectionsPerRegistry: z.int().min(SERVER_CONNECTIONS).max(10_000).default(60),
  });

export type DefaultDatabase = z.output<typeof defaultDatabaseSpec>;

/**
 * Returns the database of a registry without a `databaseConfig`: a database with a role of the same name that owns it.
 */
export function databaseOnDefault(
  {
    databasePrefix,
    adminUser: _user,
    adminDatabase: _database,
    connectionsPerRegistry: _limit,
    ...server
  }: DefaultDatabase,
  registry: { readonly namespace: string; readonly name: string },
): DatabaseConfig {
  const name = databaseName(databasePrefix, registry);
  return { ...server, user: name, migrationUser: name, database: name };
}

/** Returns a name that is unique for each registry, because neither a namespace nor a name contains an underscore. */
function databaseName(prefix: string, { namespace, name }: { namespace: string; name: string }): string {
  const whole = `${prefix}_${namespace}_${name}`;
  if (whole.length <= IDENTIFIER_LIMIT) return whole;
  const suffix = hash('sha256', whole).slice(0, SUFFIX_LENGTH);
  return `${whole.slice(0, IDENTIFIER_LIMIT - SUFFIX_LENGTH - 1)}_${suffix}`;
}
