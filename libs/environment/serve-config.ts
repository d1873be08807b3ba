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

/** The variables of the process; docs/configuration.md lists them from here. */
export const serveVariables = z.object({
  ...listenerFields,
  ...handedOnFields,
  LOG_LEVEL: logLevel.describe(
    'what a pod writes to its output: `fatal`, `error`, `warn`, `info`, `debug`, `trace`, `silent`',
  ),
  REGISTRY_NAMESPACE: z
    .string()
    .optional()
    .describe('the namespace of the MCPRegistry whose server it is; the operator sets it'),
  REGISTRY_NAME: z.string().optional().describe('the name of that MCPRegistry'),
  REGISTRY_UID: z.string().optional().describe('the uid of that MCPRegistry'),
  REGISTRY_POD_HASH: z
    .string()
    .optional()
    .describe('of the pod template: a pod takes no task that was meant for one of another spec or image'),
  REGISTRY_WRITER_URL: writerUrl
    .optional()
    .describe(
      'with `--read-only`, the origin of the server that syncs, which gets requests that change something; without it they are answered with 405',
    ),
  POD_NAME: z
    .string()
    .default(hostname())
    .meta({ description: 'how Temporal shows its worker', shownDefault: 'host name' }),
  DATA_DIR: z.string().default('/data').describe('the only folder that it writes to, beside the temporary one'),
  SECRETS_DIR: z.string().default('/secrets').describe('the key of a Secret is the file `NAME/KEY` in it'),
  SERVICE_ACCOUNT_DIR: z.string().optional().meta({
    description:
      '`token` and `ca.crt`, by which the API server of the cluster is asked; used where `KUBERNETES_SERVICE_HOST` is set',
    shownDefault: 'where pods have it',
  }),
  TEMPORAL_DIR: z
    .string()
    .default('/temporal')
    .describe(
      'a mounted Secret with `address` and, if need be, `namespace`, `apiKey`, `ca.crt`, `tls.crt`, `tls.key`, `serverName`',
    ),
  TEMPORAL_ADDRESS: temporalAddress.optional().describe('`host:port` of Temporal, without such a Secret'),
  TEMPORAL_NAMESPACE: z.string().default('default').describe('the namespace in Temporal, without such a Secret'),
  PGPASSFILE: z.string().optional().describe('passwords of the database, in the format of libpq'),
  PGSSLROOTCERT: z
    .string()
    .optional()
    .describe('CA certificates of the database, unless `database.caCertRef` names some'),
  POSTGRES_TEMPLATE: z
    .string()
    .optional()
    .describe('a data folder to begin with, where `initdb` cannot make one for want of a passwd entry'),
  KUBERNETES_SERVICE_HOST: z
    .string()
    .optional()
    .describe('set by Kubernetes: the API server of the cluster is asked when it is present'),
});

const environmentSchema = serveVariables.superRefine(portsDiffer).transform((env) => ({
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
