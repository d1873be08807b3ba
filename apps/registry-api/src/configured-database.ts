import { dirname, join } from 'node:path';
import type { DatabaseConfig } from '#spec/database-spec.js';
import type { ServeConfig } from '#environment/serve-config.js';
import { databaseOf } from '#persistence/database-access.js';
import type { Database } from '#persistence/database-place.js';

/** Returns the database in the configuration of a server. The passwords are in a pgpass file. */
export function configuredDatabase(
  spec: DatabaseConfig,
  { configFile, passwordFile, caFile }: Pick<ServeConfig, 'configFile' | 'passwordFile' | 'caFile'>,
): Database {
  const { caCertRef } = spec;
  const ca = caCertRef ? join(dirname(configFile), 'certs', caCertRef.name, caCertRef.key) : caFile;
  return databaseOf(spec, {
    ...(passwordFile !== undefined && { passwordFile }),
    ...(ca !== undefined && { caFile: ca }),
  });
}
