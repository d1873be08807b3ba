import { DataSource } from 'typeorm';
import { driverOf, poolConfig } from './database-pool.js';
import type { DatabaseAccess } from './database-place.js';
import { entities } from './entities/index.js';
import { migrations } from './migrations/index.js';

export interface PoolOptions {
  /** Maximum number of connections, unless the database access specifies another number. */
  readonly maxConnections: number;
  /** Time limit of a statement, enforced by the server. */
  readonly statementTimeoutMs?: number;
  /** Called if an idle connection breaks. The pool replaces the connection by itself. */
  onError(error: Error): void;
}

/** Creates a TypeORM data source for one role. `synchronize` is never used: only migrations change the schema. */
export function createDataSource(access: DatabaseAccess, pool: PoolOptions): DataSource {
  return new DataSource({
    type: 'postgres',
    driver: driverOf(access),
    entities,
    migrations,
    migrationsTransactionMode: 'each',
    installExtensions: false,
    poolErrorHandler: (error: Error) => pool.onError(error),
    extra: poolConfig(access, access.pool?.maxConnections ?? pool.maxConnections, {
      ...(pool.statementTimeoutMs !== undefined && { statementTimeoutMs: pool.statementTimeoutMs }),
    }),
  });
}
