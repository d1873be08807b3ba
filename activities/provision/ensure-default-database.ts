import { randomBytes } from 'node:crypto';
import { connectionsOf } from '#spec/default-database.js';
import type { DatabaseConfig } from '#spec/database-spec.js';
import { RegistryError } from '#domain/registry-error.js';
import { isRefusal } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { findPassword } from '#persistence/pgpass.js';
import { ensureTenantDatabase } from '#persistence/tenant-database.js';
import type { Blueprint } from './desired/blueprint.js';
import { PGPASS_KEY, toPgpassSecret } from './desired/secrets.js';
import type { DatabasePasswords } from './desired/secrets.js';
import { asReason, findOwned } from './ensure-object.js';
import type { Wanted } from './ensure-object.js';
import type { ProvisionWorld } from './provision-world.js';

interface PgpassSecret extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * Ensures the role and the database of a registry on the default server. The password is random and is kept only in the
 * registry's own Secret. If that Secret is lost, the role gets a new password. Idempotent.
 */
export async function ensureDefaultDatabase(
  wanted: Wanted & Pick<ProvisionWorld, 'databaseAdmin'>,
  blueprint: Blueprint,
  database: DatabaseConfig,
): Promise<DatabasePasswords> {
  const password = await ensurePassword(wanted, blueprint, database);
  const { host, port, user, sslMode, database: name } = database;
  if (!wanted.databaseAdmin)
    throw new RegistryError(
      'InternalError',
      'a default database is configured, but the operator cannot sign in to it as its administrator',
    );
  const admin = await wanted.databaseAdmin();
  const connections = connectionsOf(blueprint.spec.readers);
  const holder = { cluster: blueprint.cluster, uid: blueprint.registry.uid };
  await ensureTenantDatabase(admin, { host, port, user, sslMode, database: name, password, connections, holder });
  return { application: password, migration: password };
}

/**
 * Returns the password, creating it if necessary. Two concurrent calls get the same password, because only one of them
 * can create the Secret and the other reads it.
 */
async function ensurePassword(wanted: Wanted, blueprint: Blueprint, database: DatabaseConfig): Promise<string> {
  const drawn = randomBytes(24).toString('base64url');
  const secret = toPgpassSecret(blueprint, database, { application: drawn, migration: drawn });
  const live = await findOwned<PgpassSecret>(secret, wanted);
  const known = live && passwordIn(live, database);
  if (known !== undefined) return known;
  // A Secret without the password belongs to an earlier databaseConfig or is damaged.
  if (live) {
    const { uid } = live.metadata;
    const replaced = { ...secret, metadata: { ...secret.metadata, ...(uid !== undefined && { uid }) } };
    return asReason(wanted.reason, async () => void (await wanted.api.apply(replaced))).then(() => drawn);
  }
  return asReason(wanted.reason, async () => {
    try {
      await wanted.api.create(secret);
      return drawn;
    } catch (error) {
      if (!isRefusal(error, 'AlreadyExists')) throw error;
      const other = await findOwned<PgpassSecret>(secret, wanted);
      const password = other && passwordIn(other, database);
      if (password === undefined) throw error;
      return password;
    }
  });
}

function passwordIn({ data = {} }: PgpassSecret, { host, port, database, user }: DatabaseConfig): string | undefined {
  const text = Buffer.from(data[PGPASS_KEY] ?? '', 'base64').toString('utf8');
  return findPassword(text, { host, port, database, user });
}
