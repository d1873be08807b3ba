import { DataSource } from 'typeorm';
import { driverOf, poolConfig } from './database-client.js';
import type { DatabaseAccess } from './database-place.js';
import { entities } from './entities/index.js';
import { migrations } from './migrations/index.js';

export interface PoolOptions {
  /** Unless the access says another number. */
  readonly maxConnections: number;
  /** The longest time of one statement, which the server enforces. */
  readonly statementTimeoutMs?: number;
  /** An idle connection broke; the pool replaces it, this only tells. */
  onError(error: Error): void;
}

/** TypeORM over one role. `synchronize` is never used: migrations are the only way the schema changes. */
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
