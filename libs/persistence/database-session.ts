import { DatabaseError } from 'pg';
import type { Client } from 'pg';

/** Time limits of a session in milliseconds, enforced by the server. 0 means no limit. */
export interface SessionLimits {
  /** Time limit of a statement. */
  readonly statementTimeoutMs?: number;
  /** Time limit for waiting for a lock that another transaction holds. */
  readonly lockTimeoutMs?: number;
}

/** Properties of a session that the server reports at its start. */
export interface Session {
  /** Id of the server process, even behind a pooler. */
  readonly pid: number;
  /** Whether the server is a standby, or read-only for another reason. */
  readonly isReadOnly: boolean;
}

const STATEMENT_TIMEOUT_MS = 2 * 60_000;
/** An activity waits for a row lock at most this long, so that the next attempt finds a free connection. */
const LOCK_TIMEOUT_MS = 3_000;
/**
 * Limit for an idle transaction, so that a process that stopped in the middle of one does not hold its locks forever.
 */
const IDLE_IN_TRANSACTION_MS = 5 * 60_000;

/**
 * Sets the limits of a session and reads its properties in one round trip. It does not use startup parameters, because
 * a connection pooler rejects them.
 */
export async function beginSession(
  client: Client,
  { statementTimeoutMs = STATEMENT_TIMEOUT_MS, lockTimeoutMs = LOCK_TIMEOUT_MS }: SessionLimits,
): Promise<Session> {
  const results = (await client.query(`
    SET statement_timeout = ${statementTimeoutMs};
    SET lock_timeout = ${lockTimeoutMs};
    SET idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS};
    SELECT pg_catalog.pg_backend_pid() AS pid,
           pg_catalog.pg_is_in_recovery()
             OR pg_catalog.current_setting('transaction_read_only') OPERATOR(pg_catalog.=) 'on' AS "isReadOnly"
  `)) as unknown as { rows: Session[] }[];
  return results.at(-1)?.rows[0] as Session;
}

/** Returns whether a server process is executing a statement. */
export async function isSessionActive(client: Client, pid: number): Promise<boolean> {
  const { rows } = await client.query<{ state: string | null }>(
    'SELECT state FROM pg_catalog.pg_stat_activity WHERE pid OPERATOR(pg_catalog.=) $1::int4 LIMIT 1',
    [pid],
  );
  const state = rows[0]?.state;
  // The state is null if it is not recorded or if this role may not see it.
  return state !== undefined && (state === null || !state.startsWith('idle'));
}

/** SQLSTATEs after which a connection is useless because the server became read-only or is shutting down. */
const BROKEN: ReadonlySet<string> = new Set(['25006', '57P01', '57P02', '57P03']);

/** Returns whether a connection that reports this SQLSTATE must not be used again. */
export function breaksSession(code: string | undefined): boolean {
  return code !== undefined && BROKEN.has(code);
}

/** Returns whether an error was sent by a running server. */
export function isSaidByRunningServer(error: unknown): boolean {
  return error instanceof DatabaseError && !error.code?.startsWith('57P0');
}

/** The error that a read-only server would return for the first write. */
export class ReadOnlyServer extends Error {
  readonly code = '25006';

  constructor() {
    super('the server is read-only');
    this.name = 'ReadOnlyServer';
  }
}
