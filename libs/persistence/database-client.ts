import { readFile } from 'node:fs/promises';
import pg from 'pg';
import type { ClientConfig, PoolConfig } from 'pg';
import { RegistryError } from '#domain/registry-error.js';
import { DEFAULT_PORT } from './database-access.js';
import type { DatabaseAccess } from './database.js';
import { databaseFault } from './database-fault.js';
import { isServerVerified, NegotiatedSocket } from './negotiated-socket.js';
import { findPassword } from './pgpass.js';

/** The part of node-pg's client that answers AuthenticationCleartextPassword, which its types do not declare. */
declare module 'pg' {
  interface Client {
    _handleAuthCleartextPassword(message: unknown): void;
  }
}

/** What a caller may choose about its connections. */
export interface ClientOptions extends Pick<
  ClientConfig,
  'application_name' | 'connectionTimeoutMillis' | 'query_timeout' | 'statement_timeout'
> {
  /**
   * A server in the network that says nothing for so long is taken for dead; never when absent. For those that read much
   * with COPY: `query_timeout` counts from its beginning, and what is no query of node-pg's own does not stop it.
   */
  readonly silenceMs?: number;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** A process that stopped in the middle of a transaction must not hold its locks forever. */
const IDLE_IN_TRANSACTION_MS = 5 * 60_000;
/** Shorter than the few minutes after which firewalls forget a silent connection. */
const KEEP_ALIVE_MS = 60_000;
/** A connection beyond those that may stay idle is closed after so long without use. */
const IDLE_MS = 10_000;

/** Runs `work` on a connection of its own. Throws a RegistryError when there is none. */
export async function withClient<T>(
  access: DatabaseAccess,
  work: (client: pg.Client) => Promise<T>,
  options: ClientOptions = {},
): Promise<T> {
  const client = newClient(access, options);
  // One that breaks while it is idle fails the next query.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Not connected yet. `connect` throws a RegistryError that names place, role and remedy. */
export function newClient(access: DatabaseAccess, { silenceMs, ...options }: ClientOptions = {}): pg.Client {
  return new (clientClass(access))({ ...clientConfig(access, silenceMs), ...options });
}

/**
 * For a pool, whose connections are made as `newClient` makes them. pg-pool keeps `min` connections for as long as they
 * live and closes others when they were idle for a while: that is how near it comes to a limit of idle ones.
 */
export function poolConfig(
  access: DatabaseAccess,
  maxConnections: number,
  options: Omit<ClientOptions, 'silenceMs'> = {},
): PoolConfig {
  return {
    ...clientConfig(access),
    max: maxConnections,
    min: Math.min(access.pool?.maxIdle ?? 0, maxConnections),
    idleTimeoutMillis: IDLE_MS,
    maxLifetimeSeconds: access.pool?.maxLifetimeSeconds ?? 0,
    ...options,
    Client: clientClass(access) as unknown as NonNullable<PoolConfig['Client']>,
  };
}

/**
 * node-pg, whose pools explain their failures to connect: a connection that took too long to come is a fault of the pool,
 * which its clients do not see.
 */
export function driverOf(access: DatabaseAccess): typeof pg {
  class ExplainedPool extends pg.Pool {
    override connect(): Promise<pg.PoolClient>;
    override connect(callback: ConnectCallback): void;
    override connect(callback?: ConnectCallback): Promise<pg.PoolClient> | void {
      if (!callback) {
        return super.connect().catch((error: unknown) => {
          throw databaseFault(error, access);
        });
      }
      super.connect((error, client, done) => callback(error && databaseFault(error, access), client, done));
    }
  }
  return Object.create(pg, { Pool: { value: ExplainedPool } }) as typeof pg;
}

type ConnectCallback = Parameters<pg.Pool['connect']>[0];

function clientConfig(access: DatabaseAccess, silenceMs?: number): ClientConfig {
  const { host, port = DEFAULT_PORT, user, database, options, sslMode = 'prefer' } = access;
  const { password, passwordFile } = access;
  return {
    host,
    port,
    user,
    database,
    ...(options === undefined ? {} : { options }),
    ...(passwordFile === undefined ? {} : { password: () => readPassword(passwordFile, access) }),
    ...(password === undefined ? {} : { password }),
    // Whatever is encrypted is so below, by the rules of libpq.
    ssl: false,
    ...(host.startsWith('/') ? {} : { stream: () => new NegotiatedSocket({ ...access, sslMode }, silenceMs) }),
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    application_name: 'mcp-registry',
  };
}

/** Asked for each connection, so that a new password is seen. */
async function readPassword(file: string, access: DatabaseAccess): Promise<string> {
  const { host, port = DEFAULT_PORT, database, user } = access;
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new RegistryError('DatabaseAuthFailed', `cannot read the passwords in ${file}: ${error.message}`);
  });
  const password = findPassword(text, { host, port, database, user });
  if (password !== undefined) return password;
  throw new RegistryError(
    'DatabaseAuthFailed',
    `${file} has no password for ${host}:${port}:${database}:${user}: add a line that begins so, or with * for a part`,
  );
}

function clearTextRefused({ host, port = DEFAULT_PORT, sslMode = 'prefer' }: DatabaseAccess): RegistryError {
  return new RegistryError(
    'DatabaseAuthFailed',
    `the server at ${host}:${port} asks for the password in clear text, and sslMode ${sslMode} does not verify that it is the ` +
      'right server: choose verify-full or verify-ca, or the method scram-sha-256 in its pg_hba.conf',
  );
}

/**
 * A client whose failures to connect are explained, and that sends a password in clear text to a verified server only: any other
 * one could be in the place of the server just to ask for it.
 */
function clientClass(access: DatabaseAccess): typeof pg.Client {
  return class extends pg.Client {
    override _handleAuthCleartextPassword(message: unknown): void {
      if (access.host.startsWith('/') || isServerVerified({ sslMode: 'prefer', ...access }))
        super._handleAuthCleartextPassword(message);
      else this.connection.emit('error', clearTextRefused(access));
    }

    override connect(): Promise<pg.Client>;
    override connect(callback: (error: Error) => void): void;
    override connect(callback?: (error: Error) => void): Promise<pg.Client> | void {
      if (!callback) {
        return super.connect().catch((error: unknown) => {
          throw databaseFault(error, access);
        });
      }
      super.connect((error: Error) => callback(error && databaseFault(error, access)));
    }
  };
}
