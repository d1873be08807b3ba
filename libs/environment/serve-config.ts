import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { parseGoDuration } from '#domain/go-duration.js';
import {
  handedOnFields,
  listenerFields,
  logLevel,
  parseVariables,
  portsDiffer,
  temporalAddress,
} from './environment-fields.js';
import type { Variables } from './environment-fields.js';

export const SERVE_USAGE = `Usage: serve [--config FILE] [--read-only]

Serves one registry, and syncs its sources as the workflow of its MCPRegistry asks.

  --config FILE   its configuration; /config/config.yaml when not given
  --read-only     answer only, from a database that another server syncs into
  --help          this text

Environment: REGISTRY_NAMESPACE, REGISTRY_NAME, REGISTRY_UID, REGISTRY_POD_HASH, REGISTRY_WRITER_URL, POD_NAME, PORT, INTERNAL_PORT, HOST, DATA_DIR,
TEMPORAL_DIR or TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, TEMPORAL_UI_URL, SECRETS_DIR, SERVICE_ACCOUNT_DIR, PGPASSFILE, PGSSLROOTCERT, POSTGRES_TEMPLATE, SOURCE_URL_REWRITES,
ALLOW_LOCAL_GIT, ALLOW_PRIVATE_SOURCES, MIN_SYNC_INTERVAL, LOG_LEVEL (see docs/configuration.md).
`;

/** The origin of the server that syncs. */
const writerUrl = z
  .string()
  .refine(
    (url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) && new URL(url).origin === url,
    'must be an http or https origin without a path, such as http://tools-api-writer.team.svc:8080',
  );

const environmentSchema = z
  .object({
    ...listenerFields,
    ...handedOnFields,
    LOG_LEVEL: logLevel,
    REGISTRY_NAMESPACE: z.string().optional(),
    REGISTRY_NAME: z.string().optional(),
    REGISTRY_UID: z.string().optional(),
    REGISTRY_POD_HASH: z.string().optional(),
    REGISTRY_WRITER_URL: writerUrl.optional(),
    POD_NAME: z.string().default(hostname()),
    DATA_DIR: z.string().default('/data'),
    SECRETS_DIR: z.string().default('/secrets'),
    SERVICE_ACCOUNT_DIR: z.string().optional(),
    TEMPORAL_DIR: z.string().default('/temporal'),
    TEMPORAL_ADDRESS: temporalAddress.optional(),
    TEMPORAL_NAMESPACE: z.string().default('default'),
    PGPASSFILE: z.string().optional(),
    PGSSLROOTCERT: z.string().optional(),
    POSTGRES_TEMPLATE: z.string().optional(),
    KUBERNETES_SERVICE_HOST: z.string().optional(),
  })
  .superRefine(portsDiffer)
  .transform((env) => ({
    host: env.HOST,
    port: env.PORT,
    internalPort: env.INTERNAL_PORT,
    /** Whose server this is, as far as it is said here; the configuration may say the rest. */
    registry: { namespace: env.REGISTRY_NAMESPACE, name: env.REGISTRY_NAME, uid: env.REGISTRY_UID },
    /** The hash of the pod template; pods of another spec or image have another one. */
    podHash: env.REGISTRY_POD_HASH ?? 'unhashed',
    /** Where a read-only server sends requests that change something; it refuses them when absent. */
    writerUrl: env.REGISTRY_WRITER_URL,
    podName: env.POD_NAME,
    /** The only place that is written to, beside the temporary folder. */
    dataDirectory: env.DATA_DIR,
    /** A Secret's key is the file NAME/KEY in it. */
    secretsDirectory: env.SECRETS_DIR,
    /** Holds what proves to the cluster who asks, where that is not where pods have it. */
    serviceAccountDirectory: env.SERVICE_ACCOUNT_DIR,
    temporal: {
      /** The folder of the mounted Secret with the address and credentials of Temporal. */
      directory: env.TEMPORAL_DIR,
      /** Without such a Secret. */
      address: env.TEMPORAL_ADDRESS,
      namespace: env.TEMPORAL_NAMESPACE,
      uiUrl: env.TEMPORAL_UI_URL,
    },
    passwordFile: env.PGPASSFILE,
    caFile: env.PGSSLROOTCERT,
    /** The first data folder of the embedded Postgres, where initdb cannot make one. */
    postgresTemplate: env.POSTGRES_TEMPLATE,
    inCluster: env.KUBERNETES_SERVICE_HOST !== undefined,
    urlRewrites: env.SOURCE_URL_REWRITES,
    allowLocalGit: env.ALLOW_LOCAL_GIT,
    allowPrivateSources: env.ALLOW_PRIVATE_SOURCES,
    minSyncIntervalMs: parseGoDuration(env.MIN_SYNC_INTERVAL)!,
    logLevel: env.LOG_LEVEL,
  }));

export type ServeConfig = z.output<typeof environmentSchema> & {
  /** The file with what the registry is. */
  readonly configFile: string;
  /** Answers from a database that another server syncs into, and changes nothing. */
  readonly readOnly: boolean;
};

/** Parsed once, at start. Faults are sentences with the remedy, all at once. */
export function parseServeConfig(
  args: readonly string[],
  variables: Variables = process.env,
): { config: ServeConfig } | { faults: string[] } | { help: true } {
  const faults: string[] = [];
  let configFile = '/config/config.yaml';
  let readOnly = false;
  const options = {
    config: { type: 'string' },
    'read-only': { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { tokens } = parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'option' && token.name === 'help') return { help: true };
    if (token.kind === 'option' && token.name === 'config' && token.value) configFile = token.value;
    else if (token.kind === 'option' && token.name === 'read-only' && token.value === undefined) readOnly = true;
    else if (token.kind === 'option') faults.push(`${token.rawName}: is not understood: see --help`);
    else if (token.kind === 'positional') faults.push(`${token.value}: is not understood: use --config FILE`);
  }
  const environment = parseVariables(environmentSchema, variables, faults);
  if ('faults' in environment) return environment;
  return { config: { ...environment.value, configFile, readOnly } };
}
