import { hash } from 'node:crypto';
import { z } from 'zod';
import { databaseSpec } from './database-spec.js';
import type { DatabaseConfig } from './database-spec.js';

/** Postgres cuts longer names. */
const IDENTIFIER_LIMIT = 63;
const SUFFIX_LENGTH = 8;

/** The database server of registries that name none: each of them has a database of its own there. */
export const defaultDatabaseSpec = databaseSpec
  .omit({ database: true, caCertRef: true, dbAppUserPasswordSecretRef: true, dbMigrationUserPasswordSecretRef: true })
  .extend({
    databasePrefix: z
      .string()
      .regex(/^[a-z][a-z0-9]{0,19}$/, { error: 'must be at most 20 lower case letters and digits, a letter first' })
      .default('mcp'),
  });

export type DefaultDatabase = z.output<typeof defaultDatabaseSpec>;

/** What stands in for the `databaseConfig` of this registry. Its passwords are not those of a Secret beside it. */
export function databaseOnDefault(
  { databasePrefix, ...server }: DefaultDatabase,
  registry: { readonly namespace: string; readonly name: string },
): DatabaseConfig {
  return { ...server, database: databaseName(databasePrefix, registry), createIfMissing: true };
}

/** No two registries have the same: neither a namespace nor a name has an underscore. */
function databaseName(prefix: string, { namespace, name }: { namespace: string; name: string }): string {
  const whole = `${prefix}_${namespace}_${name}`;
  if (whole.length <= IDENTIFIER_LIMIT) return whole;
  const suffix = hash('sha256', whole).slice(0, SUFFIX_LENGTH);
  return `${whole.slice(0, IDENTIFIER_LIMIT - SUFFIX_LENGTH - 1)}_${suffix}`;
}
