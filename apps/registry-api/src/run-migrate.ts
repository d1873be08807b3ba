import { detailOf } from '#persistence/database-fault.js';
import type { Database } from '#persistence/database-place.js';
import { migrate } from '#persistence/migrate.js';

/** Runs the command `migrate`, which migrates the database before any server starts. Returns the exit code. */
export async function runMigrate(database: Database, say: (line: string) => void): Promise<0 | 1> {
  try {
    const ran = await migrate(database);
    say(ran.length > 0 ? `migrated: ${ran.join(', ')}` : 'the schema is up to date');
    return 0;
  } catch (error) {
    say(`error: ${detailOf(error)}`);
    return 1;
  }
}
