import { DatabaseError } from 'pg';
import type { Client, Pool, QueryResultRow } from 'pg';
import type { Logger } from 'pino';
import { poolClass, poolConfig } from './database-client.js';
import type { DatabaseAccess } from './database-place.js';
import type { Queryable } from './page.js';

/** Who asks the database, each with connections of its own (a bulkhead): none of them waits for another. */
export type DatabaseUse = 'documents' | 'views' | 'publishing';

/** In milliseconds: of one statement, which the server ends. */
const USES: Readonly<Record<DatabaseUse, { readonly maxConnections: number; readonly statementTimeoutMs: number }>> = {
  /** Documents that a list does not find in memory. */
  documents: { maxConnections: 2, statementTimeoutMs: 10_000 },
  /** The admin API, looked at now and then by people and by tools that poll. */
  views: { maxConnections: 1, statementTimeoutMs: 5_000 },
  publishing: { maxConnections: 1, statementTimeoutMs: 10_000 },
};
/** The longest wait for a connection, including the wait for a free one. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * The database for what is not kept in memory: each answer is as of its request. Connects when first asked and lets go
 * of what is idle.
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
    const config = { ...poolConfig(database, maxConnections, options), min: 0 };
    this.#pool = new (poolClass(database))(config);
    this.#logger = logger;
    // An idle connection broke; the next query makes another.
    this.#pool.on('error', (err) => logger.debug({ err }, 'an idle database connection broke'));
  }

  /** Throws `DatabaseAway`, whatever the reason. */
  async query<Row extends QueryResultRow>(sql: string, values: unknown[]): Promise<{ readonly rows: Row[] }> {
    try {
      return await this.#pool.query<Row>(sql, values);
    } catch (error) {
      // The follower reports an unreachable database; a refused statement is reported only here.
      if (error instanceof DatabaseError) this.#logger.error({ err: error }, 'the database refused to answer');
      throw new DatabaseAway({ cause: error });
    }
  }

  /** Runs several statements on one connection. Throws `DatabaseAway`, whatever the reason. */
  async withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
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
      // One that failed may be in any state.
      client.release(failure);
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

export class DatabaseAway extends Error {
  constructor(options: ErrorOptions) {
    super('the database does not answer, and this is not kept in memory; try again in a moment', options);
    this.name = 'DatabaseAway';
  }
}
