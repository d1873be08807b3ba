import pg from 'pg';
import type { PoolConfig } from 'pg';
import { CONNECT_TIMEOUT_MS } from './client-config.js';
import type { ClientOptions } from './client-config.js';
import { DatabaseClient } from './database-client.js';
import { databaseFault } from './database-fault.js';
import type { DatabaseAccess } from './database-place.js';

/** Time after which idle connections are closed, except for those that may stay open. */
const IDLE_MS = 10_000;

/**
 * Returns the configuration of a pool of `DatabaseClient`s, for drivers that take one. pg-pool has no limit on idle
 * connections. `min` is the closest option: that many connections stay open until they reach their maximum lifetime,
 * and the others are closed after being idle for a while.
 */
export function poolConfig(access: DatabaseAccess, maxConnections: number, options: ClientOptions = {}): PoolConfig {
  const setup = { access, options, deadAt: 0 };
  return {
    connectionTimeoutMillis: options.connectionTimeoutMillis ?? CONNECT_TIMEOUT_MS,
    max: maxConnections,
    min: Math.min(access.pool?.maxIdle ?? 0, maxConnections),
    idleTimeoutMillis: IDLE_MS,
    maxLifetimeSeconds: access.pool?.maxLifetimeSeconds ?? 0,
    Client: DatabaseClient.bind(undefined, setup) as unknown as NonNullable<PoolConfig['Client']>,
  };
}

/** Returns node-pg with its pool replaced by the pool of this module. */
export function driverOf(access: DatabaseAccess): typeof pg {
  return Object.create(pg, { Pool: { value: DatabasePool.bind(undefined, access) } }) as typeof pg;
}

type ConnectCallback = Parameters<pg.Pool['connect']>[0];
type Release = Parameters<ConnectCallback>[2];

/**
 * A pool that explains failed connection attempts and never hands out a broken connection again. The pool has to
 * explain them itself because its clients do not see a connection attempt that times out in the pool.
 */
export class DatabasePool extends pg.Pool {
  readonly #access: DatabaseAccess;

  constructor(access: DatabaseAccess, config: PoolConfig) {
    super(config);
    this.#access = access;
  }

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
      const session = client as unknown as DatabaseClient | undefined;
      if (!error && session?.isOutlived) {
        done(true);
        return this.#connect(callback);
      }
      const release: Release = (reason) => done(reason ?? session?.fault);
      callback(error && databaseFault(error, this.#access), client, release);
    });
  }
}
