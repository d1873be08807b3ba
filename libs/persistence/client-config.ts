import type { ClientConfig } from 'pg';
import { DEFAULT_PORT } from './database-access.js';
import type { DatabaseAccess } from './database-place.js';
import type { SessionLimits } from './database-session.js';
import { NegotiatedSocket } from './negotiated-socket.js';
import { passwordReader } from './pgpass.js';

/** Settings of connections that a caller may choose. */
export interface ClientOptions
  extends Pick<ClientConfig, 'application_name' | 'connectionTimeoutMillis'>, SessionLimits {
  /** Whether a read-only server is acceptable. */
  readonly mayBeReadOnly?: boolean;
  /**
   * Whether the session begins without any settings or queries, because the server may be a pooler that keeps no
   * sessions.
   */
  readonly isBare?: boolean;
  /**
   * Maximum bytes from the server, after which the connection is closed. Used for sessions whose settings are chosen by
   * another party.
   */
  readonly maxReceivedBytes?: number;
}

/** Maximum wait for a connection, unless the caller chooses another. */
export const CONNECT_TIMEOUT_MS = 10_000;
/**
 * Idle time before keep-alive probes start. Node then probes an idle peer every second, ten times, so a node that
 * vanished while the connection was idle is noticed after 25 s. Keep-alive also stops firewalls from forgetting the
 * connection.
 */
const KEEP_ALIVE_MS = 15_000;

/**
 * Returns the configuration of node-pg for one connection. Encryption is negotiated below node-pg, in the socket, by
 * the rules of libpq.
 */
export function clientConfig(access: DatabaseAccess, options: ClientOptions): ClientConfig {
  const { host, port = DEFAULT_PORT, user, database, options: settings, sslMode = 'prefer' } = access;
  const { password, passwordFile } = access;
  const { application_name = 'mcp-registry', connectionTimeoutMillis = CONNECT_TIMEOUT_MS, maxReceivedBytes } = options;
  const isPlainSocket = host.startsWith('/') && !access.others && maxReceivedBytes === undefined;
  return {
    host,
    port,
    user,
    database,
    ...(settings === undefined ? {} : { options: settings }),
    ...(passwordFile === undefined ? {} : { password: passwordReader(passwordFile, { database, user }) }),
    ...(password === undefined ? {} : { password }),
    ssl: false,
    ...(isPlainSocket ? {} : { stream: () => new NegotiatedSocket({ ...access, sslMode }, maxReceivedBytes) }),
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    connectionTimeoutMillis,
    application_name,
    ...(access.channelBinding && { enableChannelBinding: true }),
  };
}
