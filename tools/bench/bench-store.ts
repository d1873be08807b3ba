import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDataSource } from '#persistence/database.js';
import type { Database } from '#persistence/database-place.js';
import { startEmbeddedPostgres } from '#persistence/embedded/start-embedded-postgres.js';
import { migrate } from '#persistence/migrate.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';

/** A folder and a database for one bench. The database is as durable as in production: commits are forced to disk. */
export interface BenchStore extends AsyncDisposable {
  readonly directory: string;
  /** The data folder of the Postgres server. */
  readonly dataDirectory: string;
  readonly database: Database;
  readonly catalogue: RegistryCatalogue;
}

export async function openBenchStore(): Promise<BenchStore> {
  await using opening = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'mcp-registry-bench-'));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  // Lets the server's user traverse the folder. Otherwise its data would be stored elsewhere, and not be removed.
  await chmod(directory, 0o711);
  const postgres = await startEmbeddedPostgres({ dataDirectory: directory, durable: true, log: () => undefined });
  opening.defer(() => postgres.stop());
  const database: Database = {
    app: { ...postgres.connection, user: 'db_app' },
    migrator: { ...postgres.connection, user: 'db_migrator' },
  };
  await migrate(database);
  const dataSource = await createDataSource(database.app, { maxConnections: 2, onError: () => undefined }).initialize();
  opening.defer(() => dataSource.destroy());
  const opened = opening.move();
  const close = () => opened.disposeAsync();
  // An interrupted bench must not leave a running server behind.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void close().finally(() => process.exit(1)));
  return {
    directory,
    dataDirectory: postgres.data,
    database,
    catalogue: new RegistryCatalogue(dataSource),
    [Symbol.asyncDispose]: close,
  };
}
