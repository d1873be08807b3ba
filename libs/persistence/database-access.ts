import { parseGoDuration } from '#domain/go-duration.js';
import type { SslMode } from '#domain/ssl-mode.js';
import type { Database } from './database-place.js';

export const DEFAULT_PORT = 5432;

/** Maximum lifetime that a timer can measure. A longer lifetime is treated as unlimited. */
const LONGEST_LIFETIME_SECONDS = 2_147_483;

/** The settings of a `databaseConfig`, with defaults applied. */
interface DatabaseSpec {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly migrationUser: string;
  readonly database: string;
  readonly sslMode: SslMode;
  readonly maxOpenConns: number;
  readonly maxIdleConns: number;
  readonly connMaxLifetime: string;
}

/** Returns the database of a `databaseConfig`. The passwords of both roles are in one file. */
export function databaseOf(spec: DatabaseSpec, files: { passwordFile?: string; caFile?: string }): Database {
  const { host, port, database, sslMode, maxOpenConns, maxIdleConns, connMaxLifetime } = spec;
  const lifetimeSeconds = Math.ceil((parseGoDuration(connMaxLifetime) ?? 0) / 1000);
  const pool = {
    maxConnections: maxOpenConns,
    // One of the idle connections is not in the pool: the one that listens for changes.
    maxIdle: Math.max(0, Math.min(maxIdleConns, maxOpenConns) - 1),
    maxLifetimeSeconds: lifetimeSeconds > LONGEST_LIFETIME_SECONDS ? 0 : lifetimeSeconds,
  };
  const [first = host, ...others] = host.split(',').map((each) => each.trim());
  const place = {
    host: first,
    port,
    ...(others.length > 0 && { others: others.map((other) => ({ host: other, port })) }),
  };
  const common = { ...place, database, sslMode, pool, ...files };
  return {
    app: { ...common, user: spec.user },
    migrator: { ...common, user: spec.migrationUser },
  };
}
