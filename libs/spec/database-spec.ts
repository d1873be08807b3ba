import { z } from 'zod';
import { configMapKeyRef, dataKey, goDurationField, secretKeyRef } from '#domain/spec-fields.js';
import { SSL_MODES } from '#domain/ssl-mode.js';

/** Postgres truncates identifiers to 63 bytes, so a longer one would refer to another object. */
const identifier = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[^\p{Cc}]*$/u, { error: 'must not contain control characters' });

/** `databaseConfig`: the Postgres database that stores the registry's data. */
export const databaseSpec = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .max(253)
      .regex(/^[^\s/@]+$/, {
        error: 'must be a host name or address alone, without scheme, user and path',
      })
      .default('postgres')
      .describe('host is the host name of the database server.'),
    port: z.int().min(1).max(65535).default(5432),
    user: identifier.default('db_app').describe('user is the role of the application, which reads and writes rows.'),
    migrationUser: identifier
      .default('db_migrator')
      .describe('migrationUser is the role that owns the tables and migrates them.'),
    database: identifier.default('registry'),
    sslMode: z.enum(SSL_MODES).default('prefer').describe('sslMode is the sslmode of libpq.'),
    caCertRef: configMapKeyRef
      .extend({ key: dataKey.default('ca.crt') })
      .optional()
      .describe(
        'caCertRef refers to the CA certificate of the server, for sslMode verify-ca and verify-full. Defaults to those of the system.',
      ),
    maxOpenConns: z.int().min(1).max(10_000).default(10),
    maxIdleConns: z.int().min(0).max(10_000).default(2),
    connMaxLifetime: goDurationField.default('30m'),
    dbAppUserPasswordSecretRef: secretKeyRef.describe('dbAppUserPasswordSecretRef refers to the password of user.'),
    dbMigrationUserPasswordSecretRef: secretKeyRef.describe(
      'dbMigrationUserPasswordSecretRef refers to the password of migrationUser.',
    ),
  })
  .describe(
    'databaseConfig is the Postgres database for the data. Without it, the data is kept in the pod and synced again when the pod starts.',
  );

/** `database` in the configuration of a server. In a hand-written configuration, the passwords are in a pgpass file. */
export const serverDatabaseSpec = databaseSpec
  .extend({
    dbAppUserPasswordSecretRef: secretKeyRef.optional(),
    dbMigrationUserPasswordSecretRef: secretKeyRef.optional(),
    maxMetaSize: z.unknown().optional().describe('Used by another server; has no effect.'),
  })
  .transform((written) => {
    const { maxMetaSize: _, ...database } = written;
    return database;
  })
  .describe('Postgres database for the data.');

/** The Secret references are present unless the spec is a `configYAML`. */
export type DatabaseConfig = z.output<typeof serverDatabaseSpec>;
