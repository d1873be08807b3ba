import { callbackify } from 'node:util';
import type pg from 'pg';
import type { RegistryError } from '#domain/registry-error.js';
import type { ClientOptions } from './client-config.js';
import { DEFAULT_PORT } from './database-access.js';
import type { DatabaseAccess, DatabaseHost } from './database-place.js';
import { chooseHost, forgetHost } from './database-hosts.js';
import { databaseFault } from './database-fault.js';
import {
  beginSession,
  breaksSession,
  isSaidByRunningServer,
  isSessionActive,
  ReadOnlyServer,
} from './database-session.js';
import type { Session } from './database-session.js';
import { GuardedLogin } from './guarded-login.js';
import { watchSession } from './session-watch.js';
import type { Verdict } from './session-watch.js';

/** The part of node-pg's client that is missing from its types. */
declare module 'pg' {
  interface Client {
    readonly connectionParameters: object;
  }
}

/** Maximum wait for a connection to close, because a server that vanished never confirms it. */
const END_TIMEOUT_MS = 3_000;
/** Time limit of a query to a server over a separate connection, from connecting until that connection is closed. */
const ASK_TIMEOUT_MS = 5_000;

/** Runs `work` on a separate connection. Throws a RegistryError if it cannot connect. */
export async function withClient<T>(
  access: DatabaseAccess,
  work: (client: pg.Client) => Promise<T>,
  options: ClientOptions = {},
): Promise<T> {
  const client = newClient(access, options);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * Returns a client that is not connected yet. Its `connect` throws a RegistryError that contains host, role and remedy.
 */
export function newClient(access: DatabaseAccess, options: ClientOptions = {}): pg.Client {
  return new DatabaseClient({ access, options, deadAt: 0 });
}

/** State shared by the connections of one pool. */
export interface SharedSetup {
  readonly access: DatabaseAccess;
  readonly options: ClientOptions;
  /**
   * Time at which a connection of the pool was last found to be dead. Connections that existed by then are probably
   * dead, too.
   */
  deadAt: number;
}

/**
 * A client that finds the host to connect to, explains failed connection attempts, begins a session with limits, and
 * disconnects when its server vanishes.
 */
export class DatabaseClient extends GuardedLogin {
  /** Why the connection must not be used again; undefined while it may be used. */
  fault: Error | undefined;
  readonly #setup: SharedSetup;
  readonly #beganAt = performance.now();

  constructor(setup: SharedSetup) {
    super(setup.access, setup.options);
    this.#setup = setup;
    // An error on a connection fails its current statement, or the next one if the connection is idle.
    this.on('error', (error) => (this.fault ??= error));
    this.on('end', () => (this.fault ??= new Error('the connection has ended')));
  }

  /**
   * Whether a connection of the pool was found to be dead after this one was opened, so that this one is probably dead,
   * too.
   */
  get isOutlived(): boolean {
    return this.#beganAt < this.#setup.deadAt;
  }

  override connect(): Promise<pg.Client>;
  override connect(callback: (error: Error) => void): void;
  override connect(callback?: (error: Error) => void): Promise<pg.Client> | void {
    const { access } = this.#setup;
    const connected = this.#connect().catch((error: unknown) => {
      forgetHost(access);
      throw databaseFault(error, { ...access, host: this.host, port: this.port });
    });
    if (!callback) return connected;
    callbackify(() => connected)(callback);
  }

  override end(): Promise<void>;
  override end(callback: (error: Error) => void): void;
  override end(callback?: (error: Error) => void): Promise<void> | void {
    const timer = setTimeout(() => this.connection.stream.destroy(), END_TIMEOUT_MS).unref();
    const ended = super.end().finally(() => clearTimeout(timer));
    if (!callback) return ended;
    callbackify(() => ended)(callback);
  }

  async #connect(): Promise<pg.Client> {
    const { access, options } = this.#setup;
    if (access.others) this.#moveTo(await chooseHost(access, (place) => probe(access, place)));
    await super.connect();
    this.connection.on('errorMessage', (error: pg.DatabaseError) => {
      if (breaksSession(error.code)) this.fault ??= error;
    });
    if (options.isBare) this.#watch(() => Promise.resolve('gone'));
    else await this.#begin();
    return this;
  }

  #moveTo({ host, port = DEFAULT_PORT }: DatabaseHost): void {
    [this.host, this.port] = [host, port];
    Object.assign(this.connectionParameters, { host, port });
  }

  async #begin(): Promise<void> {
    const { access, options } = this.#setup;
    try {
      const session = await beginSession(this, options);
      if (session.isReadOnly && !options.mayBeReadOnly) throw new ReadOnlyServer();
      this.#watch(() => askAbout(session, at(access, { host: this.host, port: this.port })));
    } catch (error) {
      await this.end();
      throw error;
    }
  }

  /**
   * Watches the session. Not needed over a Unix socket, because a local server cannot vanish without closing its
   * connections.
   */
  #watch(judge: () => Promise<Verdict>): void {
    if (this.host.startsWith('/')) return;
    watchSession(this, { judge, onDead: () => (this.#setup.deadAt = performance.now()) });
  }
}

/**
 * Asks a server over another connection whether it is executing the statement of a session. Takes at most
 * `ASK_TIMEOUT_MS`.
 */
async function askAbout({ pid }: Session, access: DatabaseAccess): Promise<Verdict> {
  const client = newClient(access, { application_name: 'mcp-registry-watch', isBare: true });
  const deadline = setTimeout(() => client.connection.stream.destroy(), ASK_TIMEOUT_MS).unref();
  try {
    await client.connect();
    return (await isSessionActive(client, pid)) ? 'works' : 'gone';
  } catch (error) {
    return isSaidByRunningServer((error as RegistryError).cause ?? error) ? 'works' : 'unknown';
  } finally {
    await client.end();
    clearTimeout(deadline);
  }
}

/**
 * Connects to one of several hosts and returns whether the server is read-only. Throws a RegistryError if it cannot
 * connect.
 */
async function probe(access: DatabaseAccess, place: DatabaseHost): Promise<{ readonly isReadOnly: boolean }> {
  const options = { isBare: true, connectionTimeoutMillis: ASK_TIMEOUT_MS };
  return withClient(at(access, place), (client) => beginSession(client, {}), options);
}

/** Returns the access data for one of several hosts. */
function at(access: DatabaseAccess, place: DatabaseHost): DatabaseAccess {
  return { ...access, ...place, others: undefined };
}
