import type { Client, Connection } from 'pg';

/** A statement is waited for silently for so long before the server is asked about it. */
const SILENCE_MS = 10_000;
const LOOK_MS = 2_500;

/** The parts of node-pg's client and connection that its types do not declare. */
interface Inner {
  readonly connection: Connection;
  /** False while a statement runs. */
  readonly readyForQuery?: boolean;
}

/** What to ask about the statement of a connection, and whom to tell. */
export interface Watching {
  /** Asks whether the server works on the statement of this connection. */
  readonly isWorking: () => Promise<boolean>;
  /** Called before it is broken off. */
  readonly onDead: () => void;
}

/**
 * A watchdog of one connection, until it closes. A node that vanishes (power loss, a partition, a firewall that forgets) ends no
 * connection: what was sent would be repeated by TCP for a quarter of an hour. So a statement about which nothing has been heard for a
 * while, neither an answer nor that more of it could be sent, is asked about over another connection; when no server works on it, this
 * one is broken off.
 */
export function watchSession(client: Client, { isWorking, onDead }: Watching): void {
  const inner = client as unknown as Inner;
  const { stream } = inner.connection;
  let heardAt = performance.now();
  let isAsking = false;
  const hear = (): void => void (heardAt = performance.now());
  const look = async (): Promise<void> => {
    if (inner.readyForQuery !== false) hear();
    if (isAsking || performance.now() - heardAt < SILENCE_MS) return;
    const askedAbout = heardAt;
    isAsking = true;
    const works = await isWorking();
    isAsking = false;
    // It may have answered meanwhile.
    if (heardAt !== askedAbout) return;
    hear();
    if (works) return;
    onDead();
    stream.destroy(new Error('the server went away while a statement was waited for'));
  };
  stream.on('data', hear).on('drain', hear);
  const timer = setInterval(() => void look(), LOOK_MS).unref();
  stream.once('close', () => clearInterval(timer));
}
