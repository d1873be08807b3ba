import type { Client, Connection } from 'pg';

/** A statement is waited for silently for so long before the server is asked about it, and between two questions. */
const SILENCE_MS = 10_000;
const LOOK_MS = 2_500;
/**
 * After so many questions in a row without an answer the server is taken for dead, which is 30 s to 45 s after it vanished. A server
 * under load, or a pooler whose connections are all in use, may fail to answer one while it works on the statement.
 */
const UNKNOWNS_UNTIL_DEAD = 3;

/** The parts of node-pg's client and connection that its types do not declare. */
interface Inner {
  readonly connection: Connection;
  /** False while a statement runs. */
  readonly readyForQuery?: boolean;
}

/** Whether a server works on a statement: it does, it does not know of it, or the question was not answered. */
export type Verdict = 'works' | 'gone' | 'unknown';

/** The callbacks of a watchdog. */
export interface Watching {
  /** Asks whether the server works on the statement of this connection. */
  readonly judge: () => Promise<Verdict>;
  /** Called before it is broken off. */
  readonly onDead: () => void;
}

/**
 * A watchdog of one connection, until it closes. A node that vanishes (power loss, a partition, a firewall that forgets) ends no
 * connection: what was sent would be repeated by TCP for a quarter of an hour. So a statement about which nothing has been heard for a
 * while, neither an answer nor that more of it could be sent, is asked about over another connection. The connection is broken off when
 * the server does not work on the statement, or repeatedly fails to answer.
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
    // It may have answered meanwhile.
    if (heardAt > askedAt || stream.destroyed) return;
    unknowns = verdict === 'unknown' ? unknowns + 1 : 0;
    if (verdict === 'works' || (verdict === 'unknown' && unknowns < UNKNOWNS_UNTIL_DEAD)) return;
    onDead();
    stream.destroy(new Error('the server went away while a statement was waited for'));
  };
  stream.on('data', hear).on('drain', hear);
  const timer = setInterval(() => void look(), LOOK_MS).unref();
  stream.once('close', () => clearInterval(timer));
}
