import type { Logger } from 'pino';
import type { StandaloneConfig } from '#environment/standalone-config.js';
import type { Progress } from '#devstack/progress.js';
import { claimForStandalone } from '#persistence/claim-store.js';
import { accessOf } from '#persistence/connection-url.js';
import { detailOf } from '#persistence/database-fault.js';
import type { Database } from '#persistence/database-place.js';
import { startEmbeddedPostgres } from '#persistence/embedded/start-embedded-postgres.js';
import { migrate } from '#persistence/migrate.js';
import { orAborted } from '#concurrency/or-aborted.js';

interface Surroundings {
  readonly progress: Progress;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Returns a database with the current schema. Throws with the reason if the database cannot be used. */
export async function obtainDatabase(
  config: StandaloneConfig,
  dataDirectory: string,
  surroundings: Surroundings,
): Promise<{ database: Database; stop(): Promise<void> }> {
  const { databaseUrl } = config;
  if (databaseUrl !== undefined) {
    surroundings.progress.step('connecting to the database');
    const database = await orAborted(openNamed(databaseUrl), surroundings.signal);
    return { database, stop: async () => undefined };
  }
  return startOwn(config, dataDirectory, surroundings);
}

/** Starts an embedded Postgres whose data is kept in the data directory. */
async function startOwn(
  { postgresTemplate: template }: StandaloneConfig,
  dataDirectory: string,
  { progress, logger, signal }: Surroundings,
): Promise<{ database: Database; stop(): Promise<void> }> {
  progress.step('starting Postgres');
  const { connection, stop } = await startEmbeddedPostgres({
    dataDirectory,
    durable: true,
    ...(template === undefined ? {} : { template }),
    log: (message, fields = {}) => logger.info({ ...fields, component: 'postgres' }, message),
    signal,
  });
  try {
    const database = { app: { ...connection, user: 'db_app' }, migrator: { ...connection, user: 'db_migrator' } };
    await orAborted(migrate(database), signal);
    return { database, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openNamed(url: string): Promise<Database> {
  try {
    const access = accessOf(url);
    const database = { app: access, migrator: access };
    await migrate(database);
    await claimForStandalone(access);
    return database;
  } catch (error) {
    throw new Error(`DATABASE_URL: ${detailOf(error)}. Correct it, or unset it to use the embedded Postgres`, {
      cause: error,
    });
  }
}
