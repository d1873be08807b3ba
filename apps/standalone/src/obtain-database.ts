import pg from 'pg';
import type { Logger } from 'pino';
import type { StandaloneConfig } from '#config/standalone-config.js';
import type { Progress } from '#devstack/progress.js';
import type { Database } from '#persistence/database.js';
import { startEmbeddedPostgres } from '#persistence/embedded/start-embedded-postgres.js';
import { migrate } from '#persistence/migrate.js';
import { orAborted } from './or-aborted.js';

const CONNECT_TIMEOUT_MS = 5_000;

interface Surroundings {
  readonly progress: Progress;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Throws with the reason why the database cannot be used. With the current schema when it returns. */
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
  return startOwn(dataDirectory, surroundings);
}

/** A Postgres of our own, whose data is kept in the data directory. */
async function startOwn(
  dataDirectory: string,
  { progress, logger, signal }: Surroundings,
): Promise<{ database: Database; stop(): Promise<void> }> {
  progress.step('starting Postgres');
  const { connection, stop } = await startEmbeddedPostgres({
    dataDirectory,
    durable: true,
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
  const client = { connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS };
  const database = { app: client, migrator: client };
  await proveConnection(client, url);
  await migrate(database);
  return database;
}

async function proveConnection(options: pg.ClientConfig, url: string): Promise<void> {
  const client = new pg.Client(options);
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw new Error(
      `DATABASE_URL: cannot connect to ${describe(url)}: ${explain(error)}. ` +
        'Correct it, start that server, or unset it to use the embedded Postgres',
      { cause: error },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Without the password. */
function describe(url: string): string {
  const { host, pathname, username, searchParams } = new URL(url);
  const place = searchParams.get('host') || host || 'localhost';
  return `database ${pathname.slice(1) || '(default)'} at ${place} as ${username || '(default user)'}`;
}

/** Of several addresses that were tried, as for `localhost`, the message is empty and the code says it. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name);
}
