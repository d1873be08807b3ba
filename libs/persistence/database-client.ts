import { readFile } from 'node:fs/promises';
import { callbackify } from 'node:util';
import pg from 'pg';
import type { ClientConfig, PoolConfig } from 'pg';
import { RegistryError } from '#domain/registry-error.js';
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
import type { Session, SessionLimits } from './database-session.js';
import { isServerVerified, NegotiatedSocket } from './negotiated-socket.js';
import { findPassword } from './pgpass.js';
import { watchSession } from './session-watch.js';
import type { Verdict } from './session-watch.js';

/** The parts of node-pg's client that its types do not declare. */
declare module 'pg' {
  interface Client {
    readonly connectionParameters: object;
    /** Null once the server has proven that it knows the password. */
    readonly saslSession?: { readonly mechanism: string } | null;
    _handleAuthSASL(message: { readonly mechanisms: readonly string[] }): void;
    _handleAuthSASLFinal(message: unknown): void;
    _handleReadyForQuery(message: unknown): void;
    _handleAuthMD5Password(message: unknown): void;
    _handleAuthCleartextPassword(message: unknown): void;
  }
}

/** What a caller may choose about its connections. */
export interface ClientOptions
  extends Pick<ClientConfig, 'application_name' | 'connectionTimeoutMillis'>, SessionLimits {
  /** Whether a server that takes no writes will do. */
  readonly mayBeReadOnly?: boolean;
  /** Nothing is set or asked at its beginning: for a server of which it is not known whether it keeps sessions. */
  readonly isBare?: boolean;
}

const CONNECT_TIMEOUT_MS = 10_000;
/**
 * Node then asks an idle peer every second, ten times: a node that vanished while nothing was under way is noticed after 25 s. It
 * also keeps firewalls from forgetting the connection.
 */
const KEEP_ALIVE_MS = 15_000;
/** A connection beyond those that may stay idle is closed after so long without use. */
const IDLE_MS = 10_000;
/** How long the end of a connection is waited for; a server that vanished never confirms it. */
const END_TIMEOUT_MS = 3_000;
/** The time limit of a question to a server over a connection of its own, from connecting to the end of that connection. */
const ASK_TIMEOUT_MS = 5_000;
/** The SASL mechanism that is bound to the certificate of the server (RFC 5802, section 6). */
const BOUND_MECHANISM = 'SCRAM-SHA-256-PLUS';

/** Runs `work` on a connection of its own. Throws a RegistryError when there is none. */
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

/** Not connected yet. `connect` throws a RegistryError that names place, role and remedy. */
export function newClient(access: DatabaseAccess, options: ClientOptions = {}): pg.Client {
  return new (clientClass(access, options))(clientConfig(access, options));
}

/**
 * Makes a pool, whose connections are made as `newClient` makes them, for drivers that take the configuration of one. pg-pool
 * keeps `min` connections for as long as they live and closes others when they were idle for a while: that is how near it
 * comes to a limit of idle ones.
 */
export function poolConfig(access: DatabaseAccess, maxConnections: number, options: ClientOptions = {}): PoolConfig {
  return {
    ...clientConfig(access, options),
    max: maxConnections,
    min: Math.min(access.pool?.maxIdle ?? 0, maxConnections),
    idleTimeoutMillis: IDLE_MS,
    maxLifetimeSeconds: access.pool?.maxLifetimeSeconds ?? 0,
    Client: clientClass(access, options) as unknown as NonNullable<PoolConfig['Client']>,
  };
}

/** node-pg, whose pools are those of `poolClass`. */
export function driverOf(access: DatabaseAccess): typeof pg {
  return Object.create(pg, { Pool: { value: poolClass(access) } }) as typeof pg;
}

type ConnectCallback = Parameters<pg.Pool['connect']>[0];
type Release = Parameters<ConnectCallback>[2];

/**
 * A pool that explains its failures to connect (a connection that took too long to come is a fault of the pool, which its clients
 * do not see), and that hands no broken connection out again.
 */
export function poolClass(access: DatabaseAccess): typeof pg.Pool {
  return class extends pg.Pool {
    override connect(): Promise<pg.PoolClient>;
    override connect(callback: ConnectCallback): void;
    override connect(callback?: ConnectCallback): Promise<pg.PoolClient> | void {
      if (callback) return this.#connect(callback);
      return new Promise((resolve, reject) => {
        this.#connect((error, client, release) => {
          if (error || !client) return reject(error ?? new Error('the pool has no connection'));
          client.release = release;
          resolve(client);
        });
      });
    }

    #connect(callback: ConnectCallback): void {
      super.connect((error, client, done) => {
        const session = client as unknown as WatchedSession | undefined;
        if (!error && session?.isOutlived) {
          done(true);
          return this.#connect(callback);
        }
        const release: Release = (reason) => done(reason ?? session?.fault);
        callback(error && databaseFault(error, access), client, release);
      });
    }
  };
}

/** What a pool has to know of its connections. */
interface WatchedSession {
  /** Why it must not be used again. */
  readonly fault: Error | undefined;
  /** A connection that was made as early, or later, turned out to be dead. */
  readonly isOutlived: boolean;
}

function clientConfig(access: DatabaseAccess, options: ClientOptions): ClientConfig {
  const { host, port = DEFAULT_PORT, user, database, options: settings, sslMode = 'prefer' } = access;
  const { password, passwordFile } = access;
  const { application_name = 'mcp-registry', connectionTimeoutMillis = CONNECT_TIMEOUT_MS } = options;
  return {
    host,
    port,
    user,
    database,
    ...(settings === undefined ? {} : { options: settings }),
    ...(passwordFile === undefined ? {} : { password: toPasswordReader(passwordFile, access) }),
    ...(password === undefined ? {} : { password }),
    // Whatever is encrypted is so below, by the rules of libpq.
    ssl: false,
    ...(host.startsWith('/') && !access.others ? {} : { stream: () => new NegotiatedSocket({ ...access, sslMode }) }),
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    connectionTimeoutMillis,
    application_name,
    ...(access.channelBinding && { enableChannelBinding: true }),
  };
}

/** Reads the password for each connection, so that a new one is seen; node-pg says for which host. */
function toPasswordReader(file: string, { database, user }: DatabaseAccess): () => Promise<string> {
  return async (...given: unknown[]) => {
    const { host, port } = given[0] as DatabaseHost & { port: number };
    const text = await readFile(file, 'utf8').catch((error: Error) => {
      throw new RegistryError('DatabaseAuthFailed', `cannot read the passwords in ${file}: ${error.message}`);
    });
    const password = findPassword(text, { host, port, database, user });
    if (password !== undefined) return password;
    throw new RegistryError(
      'DatabaseAuthFailed',
      `${file} has no password for ${host}:${port}:${database}:${user}: add a line that begins so, or with * for a part`,
    );
  };
}

function clearTextRefused({ host, port = DEFAULT_PORT, sslMode = 'prefer' }: DatabaseAccess): RegistryError {
  return new RegistryError(
    'DatabaseAuthFailed',
    `the server at ${host}:${port} asks for the password in clear text, and sslMode ${sslMode} does not verify that it is the ` +
      'right server: choose verify-full or verify-ca, or the method scram-sha-256 in its pg_hba.conf',
  );
}

function unbound({ host, port = DEFAULT_PORT }: DatabaseAccess): RegistryError {
  return new RegistryError(
    'DatabaseAuthFailed',
    `the server at ${host}:${port} does not offer channel binding, which channel_binding=require demands: turn TLS and ` +
      'scram-sha-256 on in that server, or leave channel_binding out',
  );
}

function unproven({ host, port = DEFAULT_PORT }: DatabaseAccess): RegistryError {
  return new RegistryError(
    'DatabaseAuthFailed',
    `the server at ${host}:${port} lets the client in without proving by ${BOUND_MECHANISM} that it knows the password, as ` +
      'channel_binding=require demands: check that nothing answers in place of the database',
  );
}

/**
 * A client whose failures to connect are explained, that finds the host to connect to, begins a session with limits, and breaks off when
 * its server vanishes. It sends a password in clear text to a verified server only: any other one could be in the place of the
 * server just to ask for it.
 */
// oxlint-disable-next-line max-lines-per-function -- a class of short methods, which all read the access that it closes over
function clientClass(access: DatabaseAccess, options: ClientOptions): typeof pg.Client {
  /** When a connection was last found to be dead: those that were there by then are most probably, too. */
  let deadAt = 0;
  return class extends pg.Client implements WatchedSession {
    fault: Error | undefined;
    readonly #beganAt = performance.now();
    #isBound = false;

    constructor(config?: ConstructorParameters<typeof pg.Client>[0]) {
      super(config);
      // A connection that breaks fails its statements, and one that is idle the next of them.
      this.on('error', (error) => (this.fault ??= error));
      this.on('end', () => (this.fault ??= new Error('the connection has ended')));
    }

    get isOutlived(): boolean {
      return this.#beganAt < deadAt;
    }

    override _handleAuthSASL(message: { readonly mechanisms: readonly string[] }): void {
      if (access.channelBinding && !message.mechanisms.includes(BOUND_MECHANISM)) this.#refuse(unbound);
      else super._handleAuthSASL(message);
    }

    /** node-pg ends its session only when the server's signature is right, and does not mind when this message never comes. */
    override _handleAuthSASLFinal(message: unknown): void {
      const hasBoundMechanism = this.saslSession?.mechanism === BOUND_MECHANISM;
      if (access.channelBinding && !hasBoundMechanism) return this.#refuse(unproven);
      super._handleAuthSASLFinal(message);
      this.#isBound = hasBoundMechanism && this.saslSession === null;
    }

    override _handleAuthMD5Password(message: unknown): void {
      if (access.channelBinding) this.#refuse(unbound);
      else super._handleAuthMD5Password(message);
    }

    override _handleAuthCleartextPassword(message: unknown): void {
      if (access.channelBinding) this.#refuse(unbound);
      else if (this.host.startsWith('/') || isServerVerified({ sslMode: 'prefer', ...access }))
        super._handleAuthCleartextPassword(message);
      else this.#refuse(clearTextRefused);
    }

    /** The first of these messages ends the authentication: statements follow. */
    override _handleReadyForQuery(message: unknown): void {
      if (access.channelBinding && !this.#isBound) this.#refuse(unproven);
      else super._handleReadyForQuery(message);
    }

    override connect(): Promise<pg.Client>;
    override connect(callback: (error: Error) => void): void;
    override connect(callback?: (error: Error) => void): Promise<pg.Client> | void {
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
      if (access.others) this.#moveTo(await chooseHost(access, (place) => probe(access, place)));
      await super.connect();
      this.connection.on('errorMessage', (error: pg.DatabaseError) => {
        if (breaksSession(error.code)) this.fault ??= error;
      });
      if (options.isBare) this.#watch(() => Promise.resolve('gone'));
      else await this.#begin();
      return this;
    }

    /** Fails the connection, and closes it: a pool forgets those that fail. */
    #refuse(toError: (access: DatabaseAccess) => RegistryError): void {
      this.connection.emit('error', toError({ ...access, host: this.host, port: this.port }));
      this.connection.stream.destroy();
    }

    #moveTo({ host, port = DEFAULT_PORT }: DatabaseHost): void {
      [this.host, this.port] = [host, port];
      Object.assign(this.connectionParameters, { host, port });
    }

    async #begin(): Promise<void> {
      try {
        const session = await beginSession(this, options);
        if (session.isReadOnly && !options.mayBeReadOnly) throw new ReadOnlyServer();
        const place = { host: this.host, port: this.port };
        this.#watch(() => askAbout(session, { ...access, ...place, others: undefined }));
      } catch (error) {
        await this.end();
        throw error;
      }
    }

    /** A server that is reached over a Unix socket does not vanish without ending its connections. */
    #watch(judge: () => Promise<Verdict>): void {
      if (this.host.startsWith('/')) return;
      watchSession(this, { judge, onDead: () => (deadAt = performance.now()) });
    }
  };
}

/** Asks a server over another connection whether it works on the statement of a session; takes `ASK_TIMEOUT_MS` at most. */
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

/** Returns whether a server at one of several hosts takes writes. Throws a RegistryError when there is none. */
async function probe(access: DatabaseAccess, place: DatabaseHost): Promise<{ readonly isReadOnly: boolean }> {
  const options = { isBare: true, connectionTimeoutMillis: ASK_TIMEOUT_MS };
  return withClient({ ...access, ...place, others: undefined }, (client) => beginSession(client, {}), options);
}
