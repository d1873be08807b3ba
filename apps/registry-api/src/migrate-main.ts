import { parseServeConfig } from '#environment/serve-config.js';
import { RegistryError } from '#domain/registry-error.js';
import { createConsoleLogger } from '#observability/console-logger.js';
import { configuredDatabase } from './configured-database.js';
import { LiveConfig } from './resources/live-config.js';
import { runMigrate } from './run-migrate.js';

const USAGE = `Usage: migrate [--config FILE]

Migrates the schema of the database in a server's configuration, as its migrationUser.
serve does this itself when it starts. FILE defaults to /config/config.yaml.

Environment: PGPASSFILE, PGSSLROOTCERT, LOG_LEVEL (see docs/configuration.md).
`;

/** Runs the command `migrate`. */
export async function main(args: readonly string[]): Promise<void> {
  const parsed = parseServeConfig(args);
  if ('help' in parsed) return void process.stdout.write(USAGE);
  if ('faults' in parsed) return refuse(parsed.faults);
  const { config } = parsed;
  try {
    const { config: live } = await LiveConfig.open(config.configFile, createConsoleLogger(config.logLevel));
    const { databaseConfig } = live.spec;
    if (!databaseConfig) return refuse([`${config.configFile}: database: is missing: there is nothing to migrate`]);
    const say = (line: string) => void process.stdout.write(`${line}\n`);
    process.exitCode = await runMigrate(configuredDatabase(databaseConfig, config), say);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    refuse(error.message.split('\n'));
  }
}

function refuse(faults: readonly string[]): void {
  for (const fault of faults) process.stderr.write(`error: ${fault}\n`);
  process.exitCode = 2;
}
