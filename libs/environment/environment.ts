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

const environmentSchema = z
  .object({
    ...listenerFields,
    HOST: z.string().default('127.0.0.1'),
    ALLOWED_HOSTS: hostNames,
    DATA_DIR: z.string().default('.data'),
    DATABASE_URL: z
      .string()
      .refine((url) => URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol), {
        error:
          'must be a URL such as postgresql://user@host:5432/registry, with special characters of the password percent-encoded',
      })
      .optional(),
    POSTGRES_TEMPLATE: z.string().optional(),
    TEMPORAL_ADDRESS: temporalAddress.optional(),
    TEMPORAL_NAMESPACE: z.string().default('default'),
    TEMPORAL_PORT: port(7233),
    TEMPORAL_UI_PORT: port(8233),
    ...handedOnFields,
    LOG_LEVEL: logLevel,
  })
  .superRefine(portsDiffer)
  .transform((env) => ({
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
