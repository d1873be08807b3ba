import { scryptSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerSettings } from '#activities/provision/desired/blueprint.js';
import type { DatabasePasswords } from '#activities/provision/desired/secrets.js';
import type { DefaultDatabase } from '#config/default-database.js';

interface ReadDefaultDatabase {
  readonly defaultDatabase: NonNullable<ServerSettings['defaultDatabase']>;
  readonly defaultPasswords: DatabasePasswords;
}

/** The default database with the passwords of its roles, from the files of a mounted Secret. Throws when one is unusable. */
export async function readDefaultDatabase(server: DefaultDatabase, directory: string): Promise<ReadDefaultDatabase> {
  const application = await readPassword(join(directory, 'app-password'));
  const migration = await readPassword(join(directory, 'migration-password'));
  // Goes into hashes that others see, so that guessing must be slow.
  const version = scryptSync(JSON.stringify([application, migration]), `${server.host}:${server.port}`, 16);
  return {
    defaultDatabase: { ...server, passwordsVersion: version.toString('hex') },
    defaultPasswords: { application, migration },
  };
}

async function readPassword(file: string): Promise<string> {
  const password = (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  if (password !== '' && !/[\0\r\n]/.test(password)) return password;
  throw new Error(`${file} must hold the password of a role of the default database, alone and in one line`);
}
