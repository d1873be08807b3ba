import type { Client } from 'pg';
import { RegistryError } from '#domain/registry-error.js';
import { DEFAULT_PORT } from './database-access.js';
import { withClient } from './database-client.js';
import type { DatabaseAccess } from './database-place.js';

/**
 * Rejects a connection pooler that shares server processes among clients between transactions (pool_mode transaction or
 * statement of PgBouncer and similar). LISTEN and the lock of the migrations belong to a session, and would be lost
 * silently. Throws `DatabasePooled`.
 */
export async function demandSessions(access: DatabaseAccess, client: Client): Promise<void> {
  // Without a pooler, the process id that the client received is that of the server process.
  const first = await backendOf(client);
  if (first === (client as Client & { processID?: number }).processID) return;
  await withClient(
    access,
    async (other) => {
      await other.query('BEGIN').catch((error: unknown) => {
        // With `pool_mode = statement`, the pooler rejects transactions.
        throw (error as { code?: unknown }).code === PROTOCOL_VIOLATION ? pooled(access) : error;
      });
      const occupied = await backendOf(other);
      // While the other client is in a transaction, a shared server process is not available to this client.
      const second = await backendOf(client);
      await other.query('ROLLBACK');
      if (occupied === first || second !== first) throw pooled(access);
    },
    { isBare: true },
  );
}

const PROTOCOL_VIOLATION = '08P01';

async function backendOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return (rows[0] as { pid: number }).pid;
}

function pooled({ host, port = DEFAULT_PORT, database }: DatabaseAccess): RegistryError {
  return new RegistryError(
    'DatabasePooled',
    `database ${database} at ${host}:${port} is behind a connection pooler that keeps no sessions (such as PgBouncer with pool_mode ` +
      'transaction), so LISTEN and locks would be lost: use the address of the Postgres server itself, or pool_mode session',
    'wait',
  );
}
