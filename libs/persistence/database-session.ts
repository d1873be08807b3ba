import { DatabaseError } from 'pg';
import type { Client } from 'pg';

/** The longest times of a session, which the server enforces. In milliseconds; 0: no limit. */
export interface SessionLimits {
  /** The time limit of one statement. */
  readonly statementTimeoutMs?: number;
  /** The time limit of waiting for a lock that another transaction holds. */
  readonly lockTimeoutMs?: number;
}

/** What a server says of a session at its beginning. */
export interface Session {
  /** The process of the server, also behind a pooler. */
  readonly pid: number;
  /** Whether it is a standby, or takes no writes for another reason. */
  readonly isReadOnly: boolean;
}

const STATEMENT_TIMEOUT_MS = 2 * 60_000;
/** An activity waits no longer than this for a row, so that the next try finds a connection free. */
const LOCK_TIMEOUT_MS = 3_000;
/** A process that stopped in the middle of a transaction must not hold its locks forever. */
const IDLE_IN_TRANSACTION_MS = 5 * 60_000;

/**
 * Sets the limits of a session in one round trip, and asks what it is. Not by startup parameters, which a connection pooler
 * refuses.
 */
export async function beginSession(
  client: Client,
  { statementTimeoutMs = STATEMENT_TIMEOUT_MS, lockTimeoutMs = LOCK_TIMEOUT_MS }: SessionLimits,
): Promise<Session> {
  const results = (await client.query(`
    SET statement_timeout = ${statementTimeoutMs};
    SET lock_timeout = ${lockTimeoutMs};
    SET idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS};
    SELECT pg_backend_pid() AS pid,
           pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS "isReadOnly"
  `)) as unknown as { rows: Session[] }[];
  return results.at(-1)?.rows[0] as Session;
}

/** Whether a server process works on a statement. */
export async function isSessionActive(client: Client, pid: number): Promise<boolean> {
  const { rows } = await client.query<{ state: string | null }>('SELECT state FROM pg_stat_activity WHERE pid = $1', [
    pid,
  ]);
  const state = rows[0]?.state;
  // Null where it is not recorded, or not for the eyes of this role.
  return state !== undefined && (state === null || !state.startsWith('idle'));
}

/** SQLSTATEs after which a connection is of no use: the server became read-only, or goes down. */
const BROKEN: ReadonlySet<string> = new Set(['25006', '57P01', '57P02', '57P03']);

/** Whether a connection that reports this must not be used again. */
export function breaksSession(code: string | undefined): boolean {
  return code !== undefined && BROKEN.has(code);
}

/** Whether a server that is up has said this. */
export function isSaidByRunningServer(error: unknown): boolean {
  return error instanceof DatabaseError && !error.code?.startsWith('57P0');
}

/** What a server that takes no writes would say of the first one. */
export class ReadOnlyServer extends Error {
  readonly code = '25006';

  constructor() {
    super('the server is read-only');
    this.name = 'ReadOnlyServer';
  }
}
