import type { Database } from '#persistence/database-place.js';
import { migrate } from '#persistence/migrate.js';

/** The command `migrate`: once, for who wants it done before a server starts. Returns the exit code. */
export async function runMigrate(database: Database, say: (line: string) => void): Promise<0 | 1> {
  try {
    const ran = await migrate(database);
    say(ran.length > 0 ? `migrated: ${ran.join(', ')}` : 'the schema is up to date');
    return 0;
  } catch (error) {
    const { reason, message } = error as { reason?: string; message: string };
    say(`error: ${reason === undefined ? '' : `${reason}: `}${message}`);
    return 1;
  }
}
