import { DatabaseError } from 'pg';
import type { Client, Pool, QueryResultRow } from 'pg';
import type { Logger } from 'pino';
import { DatabasePool, poolConfig } from './database-pool.js';
import type { DatabaseAccess } from './database-place.js';
import type { Queryable } from './page.js';

/** The uses of the database. Each has its own connections (a bulkhead), so that they do not wait for each other. */
export type DatabaseUse = 'documents' | 'views' | 'publishing';

/** Maximum number of connections, and time limit of a statement in milliseconds, which the server enforces. */
const USES: Readonly<Record<DatabaseUse, { readonly maxConnections: number; readonly statementTimeoutMs: number }>> = {
  /** Documents that are not in memory when a list needs them. */
  documents: { maxConnections: 2, statementTimeoutMs: 10_000 },
  /** The admin API, which is used by people and by tools that poll. */
  views: { maxConnections: 1, statementTimeoutMs: 5_000 },
  publishing: { maxConnections: 1, statementTimeoutMs: 10_000 },
};
/** Maximum wait for a connection, including the wait for a free one in the pool. */
const CONNECT_TIMEOUT_MS = 5_000;
/** Maximum number of callers that wait for a connection. Their requests take memory, even if their clients are gone. */
const MAX_WAITING = 100;

/**
 * Reads data that is not kept in memory, so each response reflects the state at the time of its request. Connects on
 * the first query and closes idle connections.
 */
export class ViewDatabase implements Queryable {
  readonly #pool: Pool;
  readonly #logger: Logger;

  constructor(database: DatabaseAccess, use: DatabaseUse, logger: Logger) {
    const { maxConnections, statementTimeoutMs } = USES[use];
    const options = {
      application_name: `mcp-registry-${use}`,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statementTimeoutMs,
      mayBeReadOnly: use !== 'publishing',
    };
    this.#pool = new DatabasePool(database, { ...poolConfig(database, maxConnections, options), min: 0 });
    this.#logger = logger;
    // An idle connection broke. The next query opens another one.
    this.#pool.on('error', (err) => logger.debug({ err }, 'an idle database connection broke'));
  }

  /** Runs a query. Throws `DatabaseAway` for any failure. */
  async query<Row extends QueryResultRow>(sql: string, values: unknown[]): Promise<{ readonly rows: Row[] }> {
    this.#demandRoom();
    try {
      return await this.#pool.query<Row>(sql, values);
    } catch (error) {
      // The follower reports an unreachable database, but a statement that the database rejects is reported only here.
      if (error instanceof DatabaseError) this.#logger.error({ err: error }, 'the database rejected a query');
      throw new DatabaseAway({ cause: error });
    }
  }

  /** Runs several statements on one connection. Throws `DatabaseAway` for any failure. */
  async withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
    this.#demandRoom();
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw new DatabaseAway({ cause: error });
    });
    let failure: Error | undefined;
    try {
      return await work(client as unknown as Client);
    } catch (error) {
      failure = error as Error;
      this.#logger.error({ err: error }, 'writing to the database failed');
      throw new DatabaseAway({ cause: error });
    } finally {
      // Discard the connection after a failure, because its state is unknown.
      client.release(failure);
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  #demandRoom(): void {
    if (this.#pool.waitingCount >= MAX_WAITING)
      throw new DatabaseAway({}, 'too many requests wait for the database; retry in a moment');
  }
}

export class DatabaseAway extends Error {
  constructor(
    options: ErrorOptions,
    message = 'the database does not respond, and the requested data is not in memory; retry in a moment',
  ) {
    super(message, options);
    this.name = 'DatabaseAway';
  }
}
