import { parseJson } from '#domain/parse-json.js';
import { z } from 'zod';
import { parseGoDuration } from '#domain/go-duration.js';
import { POD_TEMPLATE_POLICIES } from '#domain/pod-template-policy.js';
import { objectName } from '#domain/spec-fields.js';
import { EXPOSURE_KINDS } from '#domain/exposure.js';
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
import { temporalGroups, TEMPORAL_GROUPS_LIMIT } from './temporal-groups.js';

export const OPERATOR_USAGE = `Usage: operator

Watches the MCPRegistries of a cluster, starts a workflow for each, and provisions their servers.

  --help   this text

Environment: TOOLHIVE_REGISTRY_API_IMAGE, REGISTRY_IMAGE_PULL_POLICY, REGISTRY_IMAGE_PULL_SECRETS, REGISTRY_RESOURCES, REGISTRY_STORAGE,
REGISTRY_NETWORK_POLICY, REGISTRY_EXPOSURE, REGISTRY_SERVICE_ACCOUNT, TEMPORAL_DIR or TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, TEMPORAL_UI_URL, REGISTRY_TEMPORAL_DIR, TEMPORAL_GROUPS, TEMPORAL_GROUPS_DIR, WATCH_NAMESPACE,
DISCOVER_SERVERS, DEFAULT_DATABASE, DEFAULT_DATABASE_PASSWORD_FILE, CA_BUNDLE_FILE, HOST, METRICS_PORT, METRICS_AUTHORIZATION, HEALTH_PORT, POD_NAME, OPERATOR_RELEASE, NAMESPACE_ROLE
with POD_NAMESPACE and POD_SERVICE_ACCOUNT, POD_TEMPLATE_POLICY, KUBECONFIG or SERVICE_ACCOUNT_DIR, SOURCE_URL_REWRITES, ALLOW_LOCAL_GIT,
ALLOW_PRIVATE_SOURCES,
MIN_SYNC_INTERVAL, LOG_LEVEL (see docs/configuration.md).
`;

/** A comma-separated list. Surrounding spaces and empty items are ignored. */
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
  const value = parseJson(text);
  if (value === undefined) context.addIssue({ code: 'custom', message: 'must be JSON' });
  return value;
});

const quantities = z.record(z.string(), z.union([z.string(), z.number()]));

/** `resources` of a container. */
const resources = z.strictObject({ requests: quantities.optional(), limits: quantities.optional() });

const exposureSpec = z.strictObject({
  kind: z.enum(EXPOSURE_KINDS),
  host: z.string().min(1),
  annotations: z.record(z.string(), z.string()).default({}),
  ingressClassName: z.string().default(''),
  tls: z
    .strictObject({ enabled: z.boolean().default(true), secretName: z.string().default('{name}-tls') })
    .prefault({}),
  parentRefs: z.array(z.record(z.string(), z.unknown())).default([]),
});

/** Peers of a NetworkPolicy. The API server validates them. */
const peers = z.array(z.record(z.string(), z.unknown())).default([]);
const networkPeers = z.strictObject({ clients: peers, metrics: peers });

const storage = z.strictObject({ data: z.string().optional(), tmp: z.string().optional() });

/** The environment variables of the process. docs/configuration.md is generated from them. */
export const operatorVariables = z.object({
  HOST: listenerFields.HOST.describe(
    '`/metrics` on one, `/healthz` and `/readyz` on the other; ready once the watches are synced and while Temporal responds',
  ),
  METRICS_PORT: port(8080).describe('`/metrics`'),
  METRICS_AUTHORIZATION: z
    .enum(['none', 'tokenReview'])
    .default('none')
    .describe('`tokenReview`: [who may read the metrics](security.md#network) (chart: `metrics.authorization`)'),
  HEALTH_PORT: port(8081).describe(
    '`/healthz` and `/readyz`; ready once the watches are synced and while Temporal responds',
  ),
  ...handedOnFields,
  LOG_LEVEL: logLevel.describe(
    'log level of the operator: `fatal`, `error`, `warn`, `info`, `debug`, `trace`, `silent`',
  ),
  POD_NAME: z.string().default('operator').describe('name of the operator in Temporal'),
  POD_NAMESPACE: z
    .string()
    .optional()
    .describe("the namespace of the operator's own ServiceAccount, to which `NAMESPACE_ROLE` is bound"),
  POD_SERVICE_ACCOUNT: z.string().optional().describe("the name of the operator's own ServiceAccount"),
  NAMESPACE_ROLE: z
    .string()
    .optional()
    .describe(
      'ClusterRole that the operator binds in the namespaces of registries to its own account; without it the operator must have these rights already',
    ),
  POD_TEMPLATE_POLICY: z
    .enum(POD_TEMPLATE_POLICIES)
    .default('any')
    .describe(
      '[what a podTemplateSpec may contain](security.md#who-may-create-an-mcpregistry): `any`, `restricted` or `deny`',
    ),
  OPERATOR_RELEASE: z
    .string()
    .regex(/^[\w./-]{1,160}$/, { error: 'must be letters, digits and . / _ -' })
    .optional()
    .meta({
      description:
        'distinguishes this operator from others in the same cluster. Together with the cluster it determines the task queue of the workflows, so several operators can share a Temporal namespace',
      shownDefault: 'namespace and service account of the pod',
    }),
  WATCH_NAMESPACE: names.meta({
    description: 'comma-separated namespaces to watch for MCPRegistries; logged at the start',
    shownDefault: 'all',
  }),
  TOOLHIVE_REGISTRY_API_IMAGE: z
    .string({ error: 'must name the image of registry servers' })
    .describe('the image of registry servers'),
  REGISTRY_IMAGE_PULL_POLICY: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .optional()
    .describe('pull policy of the image of registry servers'),
  REGISTRY_IMAGE_PULL_SECRETS: names.describe(
    'comma-separated names of the pull Secrets of the image of registry servers',
  ),
  REGISTRY_RESOURCES: json
    .pipe(resources)
    .optional()
    .describe('JSON: `requests` and `limits` of registry servers, instead of the defaults'),
  REGISTRY_STORAGE: json
    .pipe(storage)
    .optional()
    .describe('JSON: size limits of the volumes `data` and `tmp` of registry servers, instead of the defaults'),
  REGISTRY_EXPOSURE: json
    .pipe(exposureSpec)
    .optional()
    .describe("the chart's `registries.expose` as JSON: an Ingress or HTTPRoute for each registry"),
  REGISTRY_SERVICE_ACCOUNT: objectName
    .optional()
    .describe(
      'the ServiceAccount that the operator [acts as](security.md#acting-as-an-account-of-the-team) for registries that do not set one (chart: `registries.serviceAccountName`)',
    ),
  REGISTRY_NETWORK_POLICY: json
    .pipe(networkPeers)
    .optional()
    .describe('JSON: NetworkPolicy peers `clients` and `metrics`; without it registries get no NetworkPolicy'),
  TEMPORAL_DIR: z
    .string()
    .default('/temporal')
    .describe(
      'folder of a mounted Secret that configures the connection of the operator to Temporal: `address`, `namespace`, `apiKey`, `serverName`, `ca.crt`, `tls.crt`, `tls.key`',
    ),
  TEMPORAL_ADDRESS: temporalAddress.optional().describe('`host:port` of Temporal, if there is no such Secret'),
  TEMPORAL_NAMESPACE: z.string().default('default').describe('the Temporal namespace, if there is no such Secret'),
  REGISTRY_TEMPORAL_DIR: z
    .string()
    .default('/registry-temporal')
    .describe(
      'the same for registry servers, which have their own credentials; without it they get only the address and namespace',
    ),
  TEMPORAL_GROUPS: json
    .pipe(temporalGroups)
    .default([])
    .meta({
      description: `JSON: [groups of namespaces with a Temporal namespace each](security.md#a-temporal-namespace-for-each-team), as \`[{"name", "namespaceSelector"}]\`; ${TEMPORAL_GROUPS_LIMIT} at most`,
      shownDefault: 'none',
    }),
  TEMPORAL_GROUPS_DIR: z
    .string()
    .default('/temporal-groups')
    .describe(
      'folder with one folder for each group, which contains two folders: `operator` has the files of `TEMPORAL_DIR`, `registries` those of `REGISTRY_TEMPORAL_DIR`',
    ),
  CA_BUNDLE_FILE: z
    .string()
    .optional()
    .describe(
      'PEM file of certificate authorities that registry servers trust in addition to those of the system; read at the start',
    ),
  DEFAULT_DATABASE: json.pipe(defaultDatabaseSpec).optional().describe("the chart's `defaultDatabase` as JSON"),
  DEFAULT_DATABASE_PASSWORD_FILE: z
    .string()
    .default('/default-database/password')
    .describe('file with the password of the administrator of the default database; read for each connection'),
  SERVICE_ACCOUNT_DIR: z
    .string()
    .optional()
    .meta({ description: 'folder with `token` and `ca.crt`', shownDefault: 'where Kubernetes mounts it in pods' }),
  DISCOVER_SERVERS: flag(true).describe(
    'whether every registry lists the [MCP servers of its namespace](mcpregistry.md#the-built-in-source) by default',
  ),
});

const environmentSchema = operatorVariables
  .refine(({ SOURCE_URL_REWRITES }) => !SOURCE_URL_REWRITES.some(hasCredentials), {
    path: ['SOURCE_URL_REWRITES'],
    error:
      'must not contain a user name or password: it becomes a variable of every registry, which anyone who may see the Deployment can read; ' +
      'make the mirror readable without login, or use git.auth',
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
    /** The rights that the operator grants itself in the namespaces of registries; absent if it already has them. */
    access:
      env.NAMESPACE_ROLE === undefined
        ? undefined
        : {
            clusterRole: env.NAMESPACE_ROLE,
            serviceAccount: { namespace: env.POD_NAMESPACE ?? '', name: env.POD_SERVICE_ACCOUNT ?? '' },
          },
    /** Distinguishes this operator from others in the same cluster that use the same Temporal namespace. */
    release: env.OPERATOR_RELEASE ?? [env.POD_NAMESPACE ?? 'default', env.POD_SERVICE_ACCOUNT ?? 'operator'].join('/'),
    /** Namespaces to watch; all when empty. */
    namespaces: env.WATCH_NAMESPACE,
    temporal: {
      /** Directory of the mounted Secret with the address and credentials of Temporal. */
      directory: env.TEMPORAL_DIR,
      /** Address to use if there is no such Secret. */
      address: env.TEMPORAL_ADDRESS,
      namespace: env.TEMPORAL_NAMESPACE,
      /**
       * Directory of the mounted Secret for registry servers, which have other credentials. Without it, they get none.
       */
      registryDirectory: env.REGISTRY_TEMPORAL_DIR,
      /** Groups of namespaces that each have a Temporal namespace. */
      groups: env.TEMPORAL_GROUPS,
      /** Directory that contains one directory for each group. */
      groupsDirectory: env.TEMPORAL_GROUPS_DIR,
    },
    servers: {
      image: env.TOOLHIVE_REGISTRY_API_IMAGE,
      imagePullPolicy: env.REGISTRY_IMAGE_PULL_POLICY,
      imagePullSecrets: env.REGISTRY_IMAGE_PULL_SECRETS,
      /** Policy for podTemplateSpec. */
      podTemplatePolicy: env.POD_TEMPLATE_POLICY,
      /** Resource requests and limits of a registry server, replacing the defaults. */
      resources: env.REGISTRY_RESOURCES,
      /** How registries are exposed outside the cluster. If absent, they are not exposed. */
      exposure: env.REGISTRY_EXPOSURE,
      /** ServiceAccount that registries are provisioned as, unless their spec names another. */
      serviceAccountName: env.REGISTRY_SERVICE_ACCOUNT,
      /** Peers that the NetworkPolicy of a registry admits. If absent, no policy is created. */
      networkPolicy: env.REGISTRY_NETWORK_POLICY,
      /** Size limits of the server's emptyDir volumes. */
      storage: env.REGISTRY_STORAGE,
      /** PEM file with authorities that every registry server trusts in addition to those of the system. */
      caBundleFile: env.CA_BUNDLE_FILE,
      /** Database server for registries without a databaseConfig. */
      defaultDatabase: env.DEFAULT_DATABASE,
      /** Path of the mounted file with the password of the default database's administrator. */
      defaultDatabasePasswordFile: env.DEFAULT_DATABASE_PASSWORD_FILE,
      /** Whether a registry lists the MCP servers of its namespace by default. */
      discovery: env.DISCOVER_SERVERS,
    },
    /** Directory of the service account token, if it is not the usual one. */
    serviceAccountDirectory: env.SERVICE_ACCOUNT_DIR,
    minSyncIntervalMs: parseGoDuration(env.MIN_SYNC_INTERVAL)!,
    logLevel: env.LOG_LEVEL,
  }));

export type OperatorConfig = z.output<typeof environmentSchema> & {
  /** Variables that are passed on to registry servers unchanged. */
  readonly serverEnvironment: Readonly<Record<string, string>>;
};

/**
 * Parses the configuration, once at the start. An empty variable counts as unset. Errors are sentences with the remedy
 * and are returned all at once.
 */
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
