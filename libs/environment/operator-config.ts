import { z } from 'zod';
import { parseGoDuration } from '#domain/go-duration.js';
import { POD_TEMPLATE_POLICIES } from '#domain/pod-template-policy.js';
import { objectName } from '#domain/spec-fields.js';
import { hasCredentials } from '#sources/rewrite-url.js';
import { defaultDatabaseSpec } from '#spec/default-database.js';
import {
  flag,
  handedOnFields,
  listenerFields,
  logLevel,
  parseVariables,
  port,
  temporalAddress,
} from './environment-fields.js';
import type { Variables } from './environment-fields.js';

export const OPERATOR_USAGE = `Usage: operator

Watches the MCPRegistries of a cluster, starts a workflow for each, and provisions their servers.

  --help   this text

Environment: TOOLHIVE_REGISTRY_API_IMAGE, REGISTRY_IMAGE_PULL_POLICY, REGISTRY_IMAGE_PULL_SECRETS, REGISTRY_RESOURCES, REGISTRY_STORAGE,
REGISTRY_NETWORK_POLICY, REGISTRY_EXPOSURE, REGISTRY_SERVICE_ACCOUNT, TEMPORAL_DIR or TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, TEMPORAL_UI_URL, REGISTRY_TEMPORAL_DIR, WATCH_NAMESPACE,
DISCOVER_SERVERS, DEFAULT_DATABASE, DEFAULT_DATABASE_PASSWORD_FILE, CA_BUNDLE_FILE, HOST, METRICS_PORT, METRICS_AUTHORIZATION, HEALTH_PORT, POD_NAME, OPERATOR_RELEASE, NAMESPACE_ROLE
with POD_NAMESPACE and POD_SERVICE_ACCOUNT, POD_TEMPLATE_POLICY, KUBECONFIG or SERVICE_ACCOUNT_DIR, SOURCE_URL_REWRITES, ALLOW_LOCAL_GIT,
ALLOW_PRIVATE_SOURCES,
MIN_SYNC_INTERVAL, LOG_LEVEL (see docs/configuration.md).
`;

/** A list, separated by commas; blanks and empty items do not count. */
const names = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean),
  );

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'must be JSON' });
    return z.NEVER;
  }
});

const quantities = z.record(z.string(), z.union([z.string(), z.number()]));

/** `resources` of a container. */
const resources = z.strictObject({ requests: quantities.optional(), limits: quantities.optional() });

const exposureSpec = z.strictObject({
  kind: z.enum(['Ingress', 'HTTPRoute']),
  host: z.string().min(1),
  annotations: z.record(z.string(), z.string()).default({}),
  ingressClassName: z.string().default(''),
  tls: z
    .strictObject({ enabled: z.boolean().default(true), secretName: z.string().default('{name}-tls') })
    .prefault({}),
  parentRefs: z.array(z.record(z.string(), z.unknown())).default([]),
});

/** Peers of a NetworkPolicy, which the API server checks. */
const peers = z.array(z.record(z.string(), z.unknown())).default([]);
const networkPeers = z.strictObject({ clients: peers, metrics: peers });

const storage = z.strictObject({ data: z.string().optional(), tmp: z.string().optional() });

/** The variables of the process; docs/configuration.md lists them from here. */
export const operatorVariables = z.object({
  HOST: listenerFields.HOST.describe(
    '`/metrics` on one, `/healthz` and `/readyz` on the other; ready once the cluster was seen and while Temporal answers',
  ),
  METRICS_PORT: port(8080).describe('`/metrics`'),
  METRICS_AUTHORIZATION: z
    .enum(['none', 'tokenReview'])
    .default('none')
    .describe('`tokenReview`: [who may read the metrics](security.md#network) (chart: `metrics.authorization`)'),
  HEALTH_PORT: port(8081).describe(
    '`/healthz` and `/readyz`; ready once the cluster was seen and while Temporal answers',
  ),
  ...handedOnFields,
  LOG_LEVEL: logLevel.describe(
    'what the operator writes to its output: `fatal`, `error`, `warn`, `info`, `debug`, `trace`, `silent`',
  ),
  POD_NAME: z.string().default('operator').describe('what it is called in Temporal'),
  POD_NAMESPACE: z
    .string()
    .optional()
    .describe("the namespace of the operator's own account, which `NAMESPACE_ROLE` is bound to"),
  POD_SERVICE_ACCOUNT: z.string().optional().describe('the name of that account'),
  NAMESPACE_ROLE: z
    .string()
    .optional()
    .describe(
      'ClusterRole that the operator binds in the namespaces of registries to its own account; without it its rights must stand already',
    ),
  POD_TEMPLATE_POLICY: z
    .enum(POD_TEMPLATE_POLICIES)
    .default('any')
    .describe(
      '[what a podTemplateSpec may say](security.md#who-may-create-an-mcpregistry): `any`, `restricted` or `deny`',
    ),
  OPERATOR_RELEASE: z
    .string()
    .regex(/^[\w./-]{1,160}$/, { error: 'must be letters, digits and . / _ -' })
    .optional()
    .meta({
      description:
        'tells this operator from others in the same cluster: with the cluster it names the task queue of the workflows, so that several operators can share a Temporal namespace',
      shownDefault: 'namespace and service account of the pod',
    }),
  WATCH_NAMESPACE: names.meta({
    description: 'the namespaces that MCPRegistries are looked for in, with commas; said in the log at the start',
    shownDefault: 'all',
  }),
  TOOLHIVE_REGISTRY_API_IMAGE: z
    .string({ error: 'must name the image of registry servers' })
    .describe('the image of registry servers'),
  REGISTRY_IMAGE_PULL_POLICY: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .optional()
    .describe('how it is pulled; the Secrets are a list with commas'),
  REGISTRY_IMAGE_PULL_SECRETS: names.describe('how it is pulled; the Secrets are a list with commas'),
  REGISTRY_RESOURCES: json
    .pipe(resources)
    .optional()
    .describe(
      'JSON: `requests` and `limits` of registry servers in place of the defaults; size limits of their volumes `data` and `tmp`',
    ),
  REGISTRY_STORAGE: json
    .pipe(storage)
    .optional()
    .describe(
      'JSON: `requests` and `limits` of registry servers in place of the defaults; size limits of their volumes `data` and `tmp`',
    ),
  REGISTRY_EXPOSURE: json
    .pipe(exposureSpec)
    .optional()
    .describe("the chart's `registries.expose` as JSON: an Ingress or HTTPRoute for each registry"),
  REGISTRY_SERVICE_ACCOUNT: objectName
    .optional()
    .describe(
      'the ServiceAccount that the operator [acts as](security.md#acting-as-an-account-of-the-team) for registries that name none (chart: `registries.serviceAccountName`)',
    ),
  REGISTRY_NETWORK_POLICY: json
    .pipe(networkPeers)
    .optional()
    .describe('JSON: NetworkPolicy peers `clients` and `metrics`; without it registries get no NetworkPolicy'),
  TEMPORAL_DIR: z
    .string()
    .default('/temporal')
    .describe(
      'folder of a mounted Secret that says how the operator reaches Temporal: `address`, `namespace`, `apiKey`, `serverName`, `ca.crt`, `tls.crt`, `tls.key`',
    ),
  TEMPORAL_ADDRESS: temporalAddress.optional().describe('`host:port` of Temporal, without such a Secret'),
  TEMPORAL_NAMESPACE: z.string().default('default').describe('the namespace in Temporal, without such a Secret'),
  REGISTRY_TEMPORAL_DIR: z
    .string()
    .default('/registry-temporal')
    .describe(
      'the same for registry servers, whose credentials are their own; without it they get address and namespace only',
    ),
  CA_BUNDLE_FILE: z
    .string()
    .optional()
    .describe("PEM file of authorities that registry servers trust beside the system's; read at the start"),
  DEFAULT_DATABASE: json
    .pipe(defaultDatabaseSpec)
    .optional()
    .describe(
      "the chart's `defaultDatabase` as JSON; file with the password of its administrator, read for each connection",
    ),
  DEFAULT_DATABASE_PASSWORD_FILE: z
    .string()
    .default('/default-database/password')
    .describe(
      "the chart's `defaultDatabase` as JSON; file with the password of its administrator, read for each connection",
    ),
  SERVICE_ACCOUNT_DIR: z
    .string()
    .optional()
    .meta({ description: 'folder with `token` and `ca.crt`', shownDefault: 'where pods have it' }),
  DISCOVER_SERVERS: flag(true).describe(
    'whether every registry lists the [MCP servers of its namespace](mcpregistry.md#the-built-in-source) without being told to',
  ),
});

const environmentSchema = operatorVariables
  .refine(({ SOURCE_URL_REWRITES }) => !SOURCE_URL_REWRITES.some(hasCredentials), {
    path: ['SOURCE_URL_REWRITES'],
    error:
      'must not carry a user name or password: it becomes a variable of every registry, for all to read who may see its Deployment; ' +
      'let the mirror be read without login, or use git.auth',
  })
  .refine(({ METRICS_PORT, HEALTH_PORT }) => METRICS_PORT !== HEALTH_PORT || METRICS_PORT === 0, {
    path: ['HEALTH_PORT'],
    error: 'must differ from METRICS_PORT',
  })
  .refine((env) => env.NAMESPACE_ROLE === undefined || (env.POD_NAMESPACE && env.POD_SERVICE_ACCOUNT), {
    path: ['NAMESPACE_ROLE'],
    error: 'is bound to the account of the operator: POD_NAMESPACE and POD_SERVICE_ACCOUNT must name it',
  })
  .transform((env) => ({
    host: env.HOST,
    metricsPort: env.METRICS_PORT,
    healthPort: env.HEALTH_PORT,
    /** Whether the API server decides who may read the metrics. */
    reviewsMetricsAccess: env.METRICS_AUTHORIZATION === 'tokenReview',
    podName: env.POD_NAME,
    /** What the operator grants itself in the namespaces of registries; absent when its rights stand already. */
    access:
      env.NAMESPACE_ROLE === undefined
        ? undefined
        : {
            clusterRole: env.NAMESPACE_ROLE,
            serviceAccount: { namespace: env.POD_NAMESPACE ?? '', name: env.POD_SERVICE_ACCOUNT ?? '' },
          },
    /** Tells this operator from others in the same cluster that use the same Temporal namespace. */
    release: env.OPERATOR_RELEASE ?? [env.POD_NAMESPACE ?? 'default', env.POD_SERVICE_ACCOUNT ?? 'operator'].join('/'),
    /** The namespaces that are watched; empty means all. */
    namespaces: env.WATCH_NAMESPACE,
    temporal: {
      /** The folder of the mounted Secret with the address and credentials of Temporal. */
      directory: env.TEMPORAL_DIR,
      /** Without such a Secret. */
      address: env.TEMPORAL_ADDRESS,
      namespace: env.TEMPORAL_NAMESPACE,
      /** The same for registry servers, whose credentials are others; without it they get none. */
      registryDirectory: env.REGISTRY_TEMPORAL_DIR,
    },
    servers: {
      image: env.TOOLHIVE_REGISTRY_API_IMAGE,
      imagePullPolicy: env.REGISTRY_IMAGE_PULL_POLICY,
      imagePullSecrets: env.REGISTRY_IMAGE_PULL_SECRETS,
      /** The policy for podTemplateSpec. */
      podTemplatePolicy: env.POD_TEMPLATE_POLICY,
      /** Requests and limits of a registry server, in place of the defaults. */
      resources: env.REGISTRY_RESOURCES,
      /** How it is reached from outside the cluster; not at all when absent. */
      exposure: env.REGISTRY_EXPOSURE,
      /** The ServiceAccount that registries are provisioned as, unless they name another. */
      serviceAccountName: env.REGISTRY_SERVICE_ACCOUNT,
      /** Whom its NetworkPolicy lets in; without it there is none. */
      networkPolicy: env.REGISTRY_NETWORK_POLICY,
      /** Size limits of its emptyDir volumes. */
      storage: env.REGISTRY_STORAGE,
      /** PEM file of authorities that every registry server trusts beside the system's. */
      caBundleFile: env.CA_BUNDLE_FILE,
      /** The database for registries without a databaseConfig. */
      defaultDatabase: env.DEFAULT_DATABASE,
      /** The folder of the mounted Secret with the password of its administrator. */
      defaultDatabasePasswordFile: env.DEFAULT_DATABASE_PASSWORD_FILE,
      /** A registry lists the MCP servers of its namespace by default. */
      discovery: env.DISCOVER_SERVERS,
    },
    /** The folder of the service account token, if not the usual one. */
    serviceAccountDirectory: env.SERVICE_ACCOUNT_DIR,
    minSyncIntervalMs: parseGoDuration(env.MIN_SYNC_INTERVAL)!,
    logLevel: env.LOG_LEVEL,
  }));

export type OperatorConfig = z.output<typeof environmentSchema> & {
  /** Handed on to registry servers as they are. */
  readonly serverEnvironment: Readonly<Record<string, string>>;
};

/** Parsed once, at start; an empty variable counts as unset. Faults are sentences with the remedy, all at once. */
export function parseOperatorConfig(
  args: readonly string[],
  variables: Variables = process.env,
): { config: OperatorConfig } | { faults: string[] } | { help: true } {
  if (args.includes('--help') || args.includes('-h')) return { help: true };
  const faults = args.map(
    (arg) => `${arg}: is not an option: the operator is configured by environment variables, see --help`,
  );
  const environment = parseVariables(environmentSchema, variables, faults);
  if ('faults' in environment) return environment;
  const serverEnvironment = Object.fromEntries(
    Object.keys(handedOnFields).flatMap((name): [string, string][] => {
      const value = variables[name];
      return value ? [[name, value]] : [];
    }),
  );
  return { config: { ...environment.value, serverEnvironment } };
}
