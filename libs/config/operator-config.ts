import { z } from 'zod';
import { parseGoDuration } from '#domain/go-duration.js';
import { defaultDatabaseSpec } from './default-database.js';
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

Environment: TOOLHIVE_REGISTRY_API_IMAGE, REGISTRY_IMAGE_PULL_POLICY, REGISTRY_IMAGE_PULL_SECRETS, TEMPORAL_DIR or TEMPORAL_ADDRESS and
TEMPORAL_NAMESPACE, TEMPORAL_UI_URL, REGISTRY_TEMPORAL_DIR, WATCH_NAMESPACE, DISCOVER_SERVERS, DEFAULT_DATABASE, DEFAULT_DATABASE_DIR, CA_BUNDLE_FILE, HOST,
METRICS_PORT, HEALTH_PORT, POD_NAME, KUBECONFIG or SERVICE_ACCOUNT_DIR, SOURCE_URL_REWRITES, ALLOW_LOCAL_GIT, ALLOW_PRIVATE_SOURCES,
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

const environmentSchema = z
  .object({
    HOST: listenerFields.HOST,
    METRICS_PORT: port(8080),
    HEALTH_PORT: port(8081),
    ...handedOnFields,
    LOG_LEVEL: logLevel,
    POD_NAME: z.string().default('operator'),
    WATCH_NAMESPACE: names,
    TOOLHIVE_REGISTRY_API_IMAGE: z.string({ error: 'must name the image of registry servers' }),
    REGISTRY_IMAGE_PULL_POLICY: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
    REGISTRY_IMAGE_PULL_SECRETS: names,
    TEMPORAL_DIR: z.string().default('/temporal'),
    TEMPORAL_ADDRESS: temporalAddress.optional(),
    TEMPORAL_NAMESPACE: z.string().default('default'),
    REGISTRY_TEMPORAL_DIR: z.string().default('/registry-temporal'),
    CA_BUNDLE_FILE: z.string().optional(),
    DEFAULT_DATABASE: json.pipe(defaultDatabaseSpec).optional(),
    DEFAULT_DATABASE_DIR: z.string().default('/default-database'),
    SERVICE_ACCOUNT_DIR: z.string().optional(),
    DISCOVER_SERVERS: flag(true),
  })
  .refine(({ METRICS_PORT, HEALTH_PORT }) => METRICS_PORT !== HEALTH_PORT || METRICS_PORT === 0, {
    path: ['HEALTH_PORT'],
    error: 'must differ from METRICS_PORT',
  })
  .transform((env) => ({
    host: env.HOST,
    metricsPort: env.METRICS_PORT,
    healthPort: env.HEALTH_PORT,
    podName: env.POD_NAME,
    /** Where MCPRegistries are looked for; empty: in every namespace. */
    namespaces: env.WATCH_NAMESPACE,
    temporal: {
      /** Where a Secret is mounted that says how to reach Temporal. */
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
      /** PEM file of authorities that every registry server trusts beside the system's. */
      caBundleFile: env.CA_BUNDLE_FILE,
      /** For registries without a databaseConfig. */
      defaultDatabase: env.DEFAULT_DATABASE,
      /** Where the passwords of its two roles are mounted. */
      defaultDatabaseDirectory: env.DEFAULT_DATABASE_DIR,
      /** Whether a registry lists the MCP servers of its namespace without being told to. */
      discovery: env.DISCOVER_SERVERS,
    },
    /** Where the kubelet has put what it takes to speak to the API server, if not at the usual place. */
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
    (arg) => `${arg}: is not understood: the operator is told everything by variables, see --help`,
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
