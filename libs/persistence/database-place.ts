import type { SslMode } from '#domain/ssl-mode.js';

/**
 * One database, accessed in two roles: `migrator` owns the tables, `app` reads and writes rows. Both may be the same
 * user, as with a plain DATABASE_URL.
 */
export interface Database {
  readonly app: DatabaseAccess;
  readonly migrator: DatabaseAccess;
}

/**
 * How to connect to a database in one role. It is plain data, so that it can be passed to a worker thread.
 * `database-client.ts` creates a client from it for each connection, and reads the files at that moment, so that
 * rotated ones are used.
 */
export interface DatabaseAccess extends DatabaseHost {
  /** Other hosts of the database. The one that is writable is used. */
  readonly others?: readonly DatabaseHost[] | undefined;
  readonly user: string;
  readonly database: string;
  readonly password?: string;
  /** Path of a file in the format of libpq's .pgpass. */
  readonly passwordFile?: string;
  /** The default is `prefer`, as in libpq. A Unix socket is never encrypted. */
  readonly sslMode?: SslMode;
  /**
   * Path of a file with CA certificates (PEM) to verify the server's certificate. The default is those of the system.
   */
  readonly caFile?: string;
  /** Path of the client certificate in PEM format. */
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Whether the proof of the password must be bound to the TLS connection (SCRAM-SHA-256-PLUS). */
  readonly channelBinding?: 'require';
  /** Settings of the session, in the format of libpq's `options`. */
  readonly options?: string;
  readonly pool?: PoolLimits;
}

export interface DatabaseHost {
  /** A host name, an IP address, or the directory of a Unix socket. */
  readonly host: string;
  readonly port?: number;
}

export interface PoolLimits {
  readonly maxConnections: number;
  /** Maximum number of idle connections that are kept. */
  readonly maxIdle: number;
  /** Age after which a connection is replaced as soon as it is idle. Never if 0. */
  readonly maxLifetimeSeconds: number;
}
