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

  --config FILE   the configuration (default: /config/config.yaml)
  --read-only     only serve, from a database that another server syncs into
  --help          this text

Environment: REGISTRY_NAMESPACE, REGISTRY_NAME, REGISTRY_UID, REGISTRY_CLUSTER, REGISTRY_POD_HASH, REGISTRY_WRITER_URL, POD_NAME, PORT, INTERNAL_PORT, HOST, DATA_DIR,
TEMPORAL_DIR or TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, TEMPORAL_UI_URL, SECRETS_DIR, SERVICE_ACCOUNT_DIR, PGPASSFILE, PGSSLROOTCERT, POSTGRES_TEMPLATE, SOURCE_URL_REWRITES,
ALLOW_LOCAL_GIT, ALLOW_PRIVATE_SOURCES, MIN_SYNC_INTERVAL, LOG_LEVEL (see docs/configuration.md).
`;

/** Origin of the server that syncs. */
const writerUrl = z
  .string()
  .refine(
    (url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) && new URL(url).origin === url,
    'must be an http or https origin without a path, such as http://tools-api-writer.team.svc:8080',
  );

/** The environment variables of the process. docs/configuration.md is generated from them. */
export const serveVariables = z.object({
  ...listenerFields,
  ...handedOnFields,
  LOG_LEVEL: logLevel.describe('log level of the server: `fatal`, `error`, `warn`, `info`, `debug`, `trace`, `silent`'),
  REGISTRY_NAMESPACE: z
    .string()
    .optional()
    .describe('the namespace of the MCPRegistry that this server belongs to; set by the operator'),
  REGISTRY_NAME: z.string().optional().describe('the name of the MCPRegistry that this server belongs to'),
  REGISTRY_UID: z.string().optional().describe('the uid of the MCPRegistry that this server belongs to'),
  REGISTRY_CLUSTER: z
    .string()
    .optional()
    .describe('the id of the cluster of that MCPRegistry: a database that was claimed in another cluster is refused'),
  REGISTRY_POD_HASH: z
    .string()
    .optional()
    .describe('hash of the pod template: a pod takes no task that was meant for a pod with another spec or image'),
  REGISTRY_WRITER_URL: writerUrl
    .optional()
    .describe(
      'with `--read-only`, the origin of the server that syncs, to which requests that change something are forwarded; without it they get 405',
    ),
  POD_NAME: z
    .string()
    .default(hostname())
    .meta({ description: "the name of this pod's worker in Temporal", shownDefault: 'host name' }),
  DATA_DIR: z
    .string()
    .default('/data')
    .describe('the only folder that the server writes to, apart from the temporary one'),
  SECRETS_DIR: z
    .string()
    .default('/secrets')
    .describe('folder of the mounted Secrets, with a file `NAME/KEY` for each key'),
  SERVICE_ACCOUNT_DIR: z.string().optional().meta({
    description:
      'folder with `token` and `ca.crt`, for access to the API server of the cluster; used if `KUBERNETES_SERVICE_HOST` is set',
    shownDefault: 'where Kubernetes mounts it in pods',
  }),
  TEMPORAL_DIR: z
    .string()
    .default('/temporal')
    .describe(
      'folder of a mounted Secret with `address` and, if needed, `namespace`, `apiKey`, `ca.crt`, `tls.crt`, `tls.key`, `serverName`',
    ),
  TEMPORAL_ADDRESS: temporalAddress.optional().describe('`host:port` of Temporal, if there is no such Secret'),
  TEMPORAL_NAMESPACE: z.string().default('default').describe('the Temporal namespace, if there is no such Secret'),
  PGPASSFILE: z.string().optional().describe('file with the passwords of the database, in the pgpass format of libpq'),
  PGSSLROOTCERT: z
    .string()
    .optional()
    .describe('file with CA certificates of the database, unless `database.caCertRef` refers to some'),
  POSTGRES_TEMPLATE: z
    .string()
    .optional()
    .describe('an initial data folder, needed if `initdb` cannot create one because the user has no passwd entry'),
  KUBERNETES_SERVICE_HOST: z
    .string()
    .optional()
    .describe('set by Kubernetes; if present, the server uses the API server of the cluster'),
});

const environmentSchema = serveVariables.superRefine(portsDiffer).transform((env) => ({
  host: env.HOST,
  port: env.PORT,
  internalPort: env.INTERNAL_PORT,
  /** Identity of the registry as far as the environment sets it. The configuration may contain the rest. */
  registry: { namespace: env.REGISTRY_NAMESPACE, name: env.REGISTRY_NAME, uid: env.REGISTRY_UID },
  /** Id of the cluster of that registry, which is part of the claim on its database. */
  cluster: env.REGISTRY_CLUSTER,
  /** Hash of the pod template, which differs for pods with another spec or image. */
  podHash: env.REGISTRY_POD_HASH ?? 'unhashed',
  /** URL to which a read-only server forwards requests that change data. If absent, it rejects them. */
  writerUrl: env.REGISTRY_WRITER_URL,
  podName: env.POD_NAME,
  /** The only directory that is written to, except for the temporary directory. */
  dataDirectory: env.DATA_DIR,
  /** Directory with Secrets; the file NAME/KEY in it contains one key. */
  secretsDirectory: env.SECRETS_DIR,
  /** Directory of the service account, if it is not the usual one. */
  serviceAccountDirectory: env.SERVICE_ACCOUNT_DIR,
  temporal: {
    /** Directory of the mounted Secret with the address and credentials of Temporal. */
    directory: env.TEMPORAL_DIR,
    /** Address to use if there is no such Secret. */
    address: env.TEMPORAL_ADDRESS,
    namespace: env.TEMPORAL_NAMESPACE,
    uiUrl: env.TEMPORAL_UI_URL,
  },
  passwordFile: env.PGPASSFILE,
  caFile: env.PGSSLROOTCERT,
  /** Initial data directory of the embedded Postgres, for systems where initdb cannot create one. */
  postgresTemplate: env.POSTGRES_TEMPLATE,
  inCluster: env.KUBERNETES_SERVICE_HOST !== undefined,
  urlRewrites: env.SOURCE_URL_REWRITES,
  allowLocalGit: env.ALLOW_LOCAL_GIT,
  allowPrivateSources: env.ALLOW_PRIVATE_SOURCES,
  minSyncIntervalMs: parseGoDuration(env.MIN_SYNC_INTERVAL)!,
  logLevel: env.LOG_LEVEL,
}));

export type ServeConfig = z.output<typeof environmentSchema> & {
  /** File with the configuration of the registry. */
  readonly configFile: string;
  /** Whether this server only reads a database that another server syncs into, and changes nothing. */
  readonly readOnly: boolean;
};

/** Parses the configuration, once at the start. Errors are sentences with the remedy and are returned all at once. */
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
    else if (token.kind === 'option') faults.push(`${token.rawName}: unknown option: see --help`);
    else if (token.kind === 'positional') faults.push(`${token.value}: unexpected argument: use --config FILE`);
  }
  const environment = parseVariables(environmentSchema, variables, faults);
  if ('faults' in environment) return environment;
  return { config: { ...environment.value, configFile, readOnly } };
}
