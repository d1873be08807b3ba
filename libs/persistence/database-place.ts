import type { SslMode } from '#domain/ssl-mode.js';

/**
 * One database, reached in two roles: `migrator` owns the tables, `app` reads and writes rows. Both may be the same
 * user, as with a plain DATABASE_URL.
 */
export interface Database {
  readonly app: DatabaseAccess;
  readonly migrator: DatabaseAccess;
}

/**
 * The way to a database as one role. It is plain data, so that it can be handed to a worker thread: `database-client.ts` makes a
 * client of it for each connection, and reads files at that moment, so that rotated ones are used.
 */
export interface DatabaseAccess extends DatabaseHost {
  /** Where the server may be as well: the one that takes writes is used. */
  readonly others?: readonly DatabaseHost[] | undefined;
  readonly user: string;
  readonly database: string;
  readonly password?: string;
  /** In the format of libpq's .pgpass. */
  readonly passwordFile?: string;
  /** `prefer` when not given, as with libpq. A Unix socket is never encrypted. */
  readonly sslMode?: SslMode;
  /** Certificates in PEM that the server's is verified with; otherwise those of the system. */
  readonly caFile?: string;
  /** The file of a client certificate, in PEM. */
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Whether the proof of the password has to be bound to the TLS connection (SCRAM-SHA-256-PLUS). */
  readonly channelBinding?: 'require';
  /** Settings of the session, as libpq's `options`. */
  readonly options?: string;
  readonly pool?: PoolLimits;
}

export interface DatabaseHost {
  /** A name or an address, or the directory of a Unix socket. */
  readonly host: string;
  readonly port?: number;
}

export interface PoolLimits {
  readonly maxConnections: number;
  /** Connections that are kept while they are idle. */
  readonly maxIdle: number;
  /** An older connection is replaced as soon as it is idle; 0 means never. */
  readonly maxLifetimeSeconds: number;
}
