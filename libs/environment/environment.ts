import { z } from 'zod';
import { parseGoDuration } from '#domain/go-duration.js';
import {
  handedOnFields,
  listenerFields,
  logLevel,
  parseVariables,
  port,
  portsDiffer,
  temporalAddress,
} from './environment-fields.js';
import type { Variables } from './environment-fields.js';

/** Host names without port, separated by commas. */
const hostNames = z
  .string()
  .transform((text) => text.split(',').flatMap((name) => name.trim() || []))
  .pipe(z.array(z.string().regex(/^[a-z\d.-]+$/i, { error: 'must be host names without port, separated by commas' })))
  .default([]);

/** The variables of the process; docs/configuration.md lists them from here. */
export const standaloneVariables = z.object({
  ...listenerFields,
  HOST: z
    .string()
    .default('127.0.0.1')
    .describe(
      'address that both HTTP ports listen on. The default is for this machine only, and requests must name it as localhost (a page of another site could otherwise read the registry by DNS rebinding). `::` is every interface; the image sets it',
    ),
  ALLOWED_HOSTS: hostNames.describe(
    'host names, separated by commas, by which clients may ask a server on a loopback address, besides localhost: that of a proxy in front',
  ),
  DATA_DIR: z.string().default('.data').describe('everything that outlives the process; one process at a time'),
  DATABASE_URL: z
    .string()
    // What follows is read where it is used: a URL of Postgres may name several hosts or none.
    .regex(/^postgres(ql)?:\/\//, { error: 'must be a URL such as postgresql://user@host:5432/registry' })
    .optional()
    .describe(
      '`postgresql://user:password@host:5432/database` instead of the embedded Postgres, [as libpq reads it](#connection-urls). The database must exist, and the user may create tables',
    ),
  POSTGRES_TEMPLATE: z
    .string()
    .optional()
    .describe(
      'where the embedded Postgres gets its first data from instead of initdb: a data folder or a `.tar.gz` of one. initdb does not run as a user id that has no line in /etc/passwd, as clusters assign them; the image sets it',
    ),
  TEMPORAL_ADDRESS: temporalAddress
    .optional()
    .describe('`host:port` of a Temporal server instead of a local one; without TLS so far'),
  TEMPORAL_NAMESPACE: z.string().default('default').describe('its namespace, which must exist'),
  TEMPORAL_PORT: port(7233).describe(
    'where the local Temporal server listens, on loopback; when it is busy, the next free port',
  ),
  TEMPORAL_UI_PORT: port(8233).describe('its UI, in the same way; the real port is printed'),
  ...handedOnFields,
  LOG_LEVEL: logLevel.describe(
    'what goes to `logs/standalone.log`: `fatal`, `error`, `warn`, `info`, `debug`, `trace`, `silent`',
  ),
});

const environmentSchema = standaloneVariables.superRefine(portsDiffer).transform((env) => ({
  /** The address to listen on; `::` is every interface. */
  host: env.HOST,
  /** Names by which clients may ask a server that listens on a loopback address, besides localhost. */
  allowedHosts: env.ALLOWED_HOSTS,
  port: env.PORT,
  internalPort: env.INTERNAL_PORT,
  dataDirectory: env.DATA_DIR,
  /** Absent: an embedded Postgres is started. */
  databaseUrl: env.DATABASE_URL,
  /** The first data folder of the embedded Postgres, where initdb cannot make one. */
  postgresTemplate: env.POSTGRES_TEMPLATE,
  /** `host:port`; absent: a local Temporal server is started. */
  temporalAddress: env.TEMPORAL_ADDRESS,
  temporalNamespace: env.TEMPORAL_NAMESPACE,
  /** The port at which a local Temporal server listens, if free. */
  temporalPort: env.TEMPORAL_PORT,
  temporalUiPort: env.TEMPORAL_UI_PORT,
  /** The URL of the UI of a Temporal server elsewhere; a local one has its own. */
  temporalUiUrl: env.TEMPORAL_UI_URL,
  urlRewrites: env.SOURCE_URL_REWRITES,
  allowLocalGit: env.ALLOW_LOCAL_GIT,
  /** False: API sources may be at public addresses only. */
  allowPrivateSources: env.ALLOW_PRIVATE_SOURCES,
  /** Shorter intervals in a spec are raised to this. */
  minSyncIntervalMs: parseGoDuration(env.MIN_SYNC_INTERVAL)!,
  logLevel: env.LOG_LEVEL,
}));

/** The environment of a standalone process. */
export type StandaloneEnvironment = z.output<typeof environmentSchema>;

/** Reads the variables of a standalone process. */
export function parseEnvironment(variables: Variables): { environment: StandaloneEnvironment } | { faults: string[] } {
  const parsed = parseVariables(environmentSchema, variables);
  return 'faults' in parsed ? parsed : { environment: parsed.value };
}
