import { readFile } from 'node:fs/promises';
import type { DefaultDatabase } from '#spec/default-database.js';
import { RegistryError } from '#domain/registry-error.js';
import type { DatabaseAccess } from '#persistence/database-place.js';

/**
 * Reads the connection data of the default database, with its administrator. The password is read each time, so that a
 * rotated password is used.
 */
export async function readDatabaseAdmin(server: DefaultDatabase, passwordFile: string): Promise<DatabaseAccess> {
  const { host, port, sslMode, adminUser: user, adminDatabase: database } = server;
  return { host, port, sslMode, user, database, password: await readPassword(passwordFile) };
}

async function readPassword(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new RegistryError('DatabaseAuthFailed', `cannot read the password of the default database: ${error.message}`);
  });
  const password = text.replace(/\r?\n$/, '');
  if (password !== '' && !/[\0\r\n]/.test(password)) return password;
  const message = `${file} must contain only the password of the default database's administrator, in one line`;
  throw new RegistryError('DatabaseAuthFailed', message);
}
