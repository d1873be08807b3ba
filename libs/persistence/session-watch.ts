import type { Client, Connection } from 'pg';

/**
 * Time without progress of a statement after which the server is queried about it. Also the minimum time between two
 * such queries.
 */
const SILENCE_MS = 10_000;
const LOOK_MS = 2_500;
/**
 * Number of consecutive queries without a response after which the server counts as dead, which is 30 s to 45 s after
 * it vanished. A server under load, or a pooler whose connections are all in use, may fail to respond once although it
 * is executing the statement.
 */
const UNKNOWNS_UNTIL_DEAD = 3;

/** Members of node-pg's client and connection that its type declarations lack. */
interface Inner {
  readonly connection: Connection;
  /** False while a statement runs. */
  readonly readyForQuery?: boolean;
}

/** Whether a server is executing a statement: it is, it does not know the statement, or it did not respond. */
export type Verdict = 'works' | 'gone' | 'unknown';

/** The callbacks of a watchdog. */
export interface Watching {
  /** Returns whether the server is executing the statement of this connection. */
  readonly judge: () => Promise<Verdict>;
  /** Called before the connection is closed. */
  readonly onDead: () => void;
}

/**
 * Starts a watchdog for one connection, which runs until the connection closes. A node that vanishes (power loss, a
 * network partition, a firewall that drops its state) does not close its connections, and TCP would retransmit for a
 * quarter of an hour. So if a statement makes no progress for a while, neither by received data nor by further sent
 * data, the watchdog asks the server about it over another connection. It closes the connection if the server is not
 * executing the statement, or repeatedly fails to respond.
 */
export function watchSession(client: Client, { judge, onDead }: Watching): void {
  const inner = client as unknown as Inner;
  const { stream } = inner.connection;
  let [heardAt, askedAt] = [performance.now(), 0];
  let isAsking = false;
  let unknowns = 0;
  const hear = (): void => {
    heardAt = performance.now();
    unknowns = 0;
  };
  const look = async (): Promise<void> => {
    if (inner.readyForQuery !== false) hear();
    if (isAsking || performance.now() - Math.max(heardAt, askedAt) < SILENCE_MS) return;
    askedAt = performance.now();
    isAsking = true;
    const verdict = await judge();
    isAsking = false;
    // The connection may have received data in the meantime.
    if (heardAt > askedAt || stream.destroyed) return;
    unknowns = verdict === 'unknown' ? unknowns + 1 : 0;
    if (verdict === 'works' || (verdict === 'unknown' && unknowns < UNKNOWNS_UNTIL_DEAD)) return;
    onDead();
    stream.destroy(new Error('the server went away while a statement was running'));
  };
  stream.on('data', hear).on('drain', hear);
  const timer = setInterval(() => void look(), LOOK_MS).unref();
  stream.once('close', () => clearInterval(timer));
}
