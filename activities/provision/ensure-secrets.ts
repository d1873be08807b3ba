import type { DatabaseConfig } from '#spec/database-spec.js';
import { RegistryError } from '#domain/registry-error.js';
import { typedDatabase } from './desired/blueprint.js';
import { ensureDefaultDatabase } from './ensure-default-database.js';
import { toPgpassSecret, toTemporalSecret } from './desired/secrets.js';
import type { DatabasePasswords } from './desired/secrets.js';
import { ensureObject } from './ensure-object.js';
import type { ProvisionWorld } from './provision-world.js';
import type { Commission } from './read-blueprint.js';

/**
 * Ensures the Secrets that the server needs: the passwords of its database as a pgpass file, and its access to
 * Temporal. Idempotent.
 */
export async function ensureSecrets({ blueprint, world }: Commission): Promise<void> {
  const { registry } = blueprint;
  const database = typedDatabase(blueprint.spec);
  if (database) {
    const wanted = { ...world, registry, reason: 'PGPassSecretFailed' } as const;
    const passwords = isOnDefault(database)
      ? await ensureDefaultDatabase(wanted, blueprint, database)
      : await readPasswords(world, registry.namespace, database);
    await ensureObject(toPgpassSecret(blueprint, database, passwords), wanted);
  }
  await ensureObject(toTemporalSecret(blueprint), { ...world, registry, reason: 'TemporalSecretFailed' });
}

/**
 * Reports whether the database is on the default server. A `databaseConfig` of the user refers to Secrets with
 * passwords.
 */
function isOnDefault({ dbAppUserPasswordSecretRef }: DatabaseConfig): boolean {
  return dbAppUserPasswordSecretRef === undefined;
}

/** Reads the passwords from the Secrets that the spec refers to. */
async function readPasswords(
  world: ProvisionWorld,
  namespace: string,
  { dbAppUserPasswordSecretRef, dbMigrationUserPasswordSecretRef }: DatabaseConfig,
): Promise<DatabasePasswords> {
  const [application, migration] = await Promise.all([
    readPassword(world, namespace, dbAppUserPasswordSecretRef),
    readPassword(world, namespace, dbMigrationUserPasswordSecretRef),
  ]);
  return { application, migration };
}

/** Reads a password without the single trailing newline that editors add. */
async function readPassword(
  { resources }: ProvisionWorld,
  namespace: string,
  ref: { readonly name: string; readonly key: string } | undefined,
): Promise<string> {
  if (!ref) throw failed('databaseConfig does not refer to a Secret with a password');
  const bytes = await resources.secretKey(namespace, ref.name, ref.key).catch((error: unknown) => {
    throw error instanceof RegistryError && error.destiny !== 'retry' ? failed(error.message) : error;
  });
  const password = Buffer.from(bytes)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (!/[\0\r\n]/.test(password) && password !== '') return password;
  const fault = password === '' ? 'is empty' : 'holds more than one line';
  throw failed(`key ${ref.key} of Secret ${namespace}/${ref.name} ${fault}: it must contain only the password`);
}

function failed(message: string): RegistryError {
  return new RegistryError('PGPassSecretFailed', message);
}
