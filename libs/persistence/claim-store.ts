import type { RegistryRef } from '#domain/registry-ref.js';
import { RegistryError } from '#domain/registry-error.js';
import { withClient } from './database-client.js';
import { databaseFault } from './database-fault.js';
import type { DatabaseAccess } from './database.js';

/**
 * Makes the database that of one MCPRegistry, unless it is so already, and returns the id of the store. Throws
 * `DatabaseOwnedByAnother` when it is another's: the two would delete each other's rows. Safe to repeat.
 */
export function claimStore(
  app: DatabaseAccess,
  { namespace, name }: Pick<RegistryRef, 'namespace' | 'name'>,
): Promise<string> {
  return withClient(app, async (client) => {
    const wanted = `${namespace}/${name}`;
    try {
      await client.query('UPDATE store SET owner = $1 WHERE owner IS NULL', [wanted]);
      const { rows } = await client.query<{ id: string; owner: string }>('SELECT id, owner FROM store');
      const { id, owner } = rows[0] as { id: string; owner: string };
      if (owner === wanted) return id;
      throw new RegistryError(
        'DatabaseOwnedByAnother',
        `database ${app.database} at ${app.host} belongs to MCPRegistry ${owner}, not ${wanted}: give this one a ` +
          'database of its own. If that registry is gone for good: UPDATE store SET owner = NULL',
      );
    } catch (error) {
      throw databaseFault(error, app, 'claim');
    }
  });
}
