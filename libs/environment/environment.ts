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

/** Comma-separated host names without ports. */
const hostNames = z
  .string()
  .transform((text) => text.split(',').flatMap((name) => name.trim() || []))
  .pipe(z.array(z.string().regex(/^[a-z\d.-]+$/i, { error: 'must be host names without port, separated by commas' })))
  .default([]);

/** The environment variables of the process. docs/configuration.md is generated from them. */
export const standaloneVariables = z.object({
  ...listenerFields,
  HOST: z
    .string()
    .default('127.0.0.1')
    .describe(
      'address that both HTTP ports listen on. The default accepts connections from this machine only, and only requests for the host localhost, because a page of another site could otherwise read the registry by DNS rebinding. `::` is every interface; the image sets it',
    ),
  ALLOWED_HOSTS: hostNames.describe(
    'host names, separated by commas, that requests to a server on a loopback address may use in addition to localhost, such as the name of a proxy in front of it',
  ),
  DATA_DIR: z
    .string()
    .default('.data')
    .describe('directory for all persistent data. Only one process may use it at a time'),
  DATABASE_URL: z
    .string()
    // The rest is validated where it is used, because a Postgres URL may have several hosts or none.
    .regex(/^postgres(ql)?:\/\//, { error: 'must be a URL such as postgresql://user@host:5432/registry' })
    .optional()
    .describe(
      '`postgresql://user:password@host:5432/database` instead of the embedded Postgres, [as libpq reads it](#connection-urls). The database must exist, and the user may create tables',
    ),
  POSTGRES_TEMPLATE: z
    .string()
    .optional()
    .describe(
      'initial data of the embedded Postgres, used instead of initdb: a data folder or a `.tar.gz` of one. Needed if the user id has no line in /etc/passwd, as is usual in clusters, because initdb then fails; the image sets it',
    ),
  TEMPORAL_ADDRESS: temporalAddress
    .optional()
    .describe('`host:port` of a Temporal server instead of a local one; without TLS so far'),
  TEMPORAL_NAMESPACE: z.string().default('default').describe('namespace of that Temporal server, which must exist'),
  TEMPORAL_PORT: port(7233).describe(
    'port of the local Temporal server, on loopback; if it is in use, the next free port',
  ),
  TEMPORAL_UI_PORT: port(8233).describe('port of its UI, chosen in the same way; the actual port is printed'),
  ...handedOnFields,
  LOG_LEVEL: logLevel.describe(
    'log level of `logs/standalone.log`: `fatal`, `error`, `warn`, `info`, `debug`, `trace`, `silent`',
  ),
});

const environmentSchema = standaloneVariables.superRefine(portsDiffer).transform((env) => ({
  /** Address to listen on; `::` means every interface. */
  host: env.HOST,
  /** Host names, in addition to localhost, that are accepted by a server on a loopback address. */
  allowedHosts: env.ALLOWED_HOSTS,
  port: env.PORT,
  internalPort: env.INTERNAL_PORT,
  dataDirectory: env.DATA_DIR,
  /** If absent, an embedded Postgres is started. */
  databaseUrl: env.DATABASE_URL,
  /** Initial data directory of the embedded Postgres, for systems where initdb cannot create one. */
  postgresTemplate: env.POSTGRES_TEMPLATE,
  /** `host:port`; if absent, a local Temporal server is started. */
  temporalAddress: env.TEMPORAL_ADDRESS,
  temporalNamespace: env.TEMPORAL_NAMESPACE,
  /** Port of a local Temporal server, if it is free. */
  temporalPort: env.TEMPORAL_PORT,
  temporalUiPort: env.TEMPORAL_UI_PORT,
  /** URL of the UI of an external Temporal server. A local one has its own UI. */
  temporalUiUrl: env.TEMPORAL_UI_URL,
  urlRewrites: env.SOURCE_URL_REWRITES,
  allowLocalGit: env.ALLOW_LOCAL_GIT,
  /** If false, API sources must have public IP addresses. */
  allowPrivateSources: env.ALLOW_PRIVATE_SOURCES,
  /** Minimum sync interval. Shorter intervals in a spec are raised to it. */
  minSyncIntervalMs: parseGoDuration(env.MIN_SYNC_INTERVAL)!,
  logLevel: env.LOG_LEVEL,
}));

/** The environment of a standalone process. */
export type StandaloneEnvironment = z.output<typeof environmentSchema>;

/** Parses the environment variables of a standalone process. */
export function parseEnvironment(variables: Variables): { environment: StandaloneEnvironment } | { faults: string[] } {
  const parsed = parseVariables(environmentSchema, variables);
  return 'faults' in parsed ? parsed : { environment: parsed.value };
}
