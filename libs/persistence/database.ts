import type { ClientConfig } from 'pg';
import { DataSource } from 'typeorm';
import { entities } from './entities/index.js';
import { migrations } from './migrations/index.js';

/**
 * One database, reached in two roles: `migrator` owns the tables, `app` reads and writes rows. Both may be the same
 * user, as with a plain DATABASE_URL. Plain data, so that it can be handed to a worker thread.
 */
export interface Database {
  readonly app: ClientConfig;
  readonly migrator: ClientConfig;
}

export interface PoolOptions {
  readonly maxConnections: number;
  /** An idle connection broke; the pool replaces it, this only tells. */
  onError(error: Error): void;
}

/** TypeORM over one role. `synchronize` is never used: migrations are the only way the schema changes. */
export function createDataSource(client: ClientConfig, pool: PoolOptions): DataSource {
  const { connectionString, ...rest } = client;
  return new DataSource({
    type: 'postgres',
    entities,
    migrations,
    migrationsTransactionMode: 'each',
    installExtensions: false,
    poolErrorHandler: (error: Error) => pool.onError(error),
    ...(connectionString ? { url: connectionString } : {}),
    extra: {
      ...rest,
      max: pool.maxConnections,
      connectionTimeoutMillis: 10_000,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      application_name: 'mcp-registry',
    },
  });
}
