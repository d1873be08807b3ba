import { z } from 'zod';
import { admission } from '#domain/admission-rule.js';
import { isWithinBudget, WALK_BUDGET } from '#domain/bounded-walk.js';
import type { Notice } from '#domain/notice.js';
import { objectName } from '#domain/spec-fields.js';
import { authSpec, normalizeAuth } from './auth-spec.js';
import { loginAdmission, loginIsPossible, surfaceFields, toSurface } from './console-spec.js';
import { databaseSpec } from './database-spec.js';
import { managedHasDatabase } from './managed-has-database.js';
import { managedHasWriters, managedHasWritersRule } from './managed-has-writers.js';
import { publicReadIsServed } from './public-read.js';
import { CONFIG_LIMIT, rawFields, rawFieldsAdmission, rawFieldsFit } from './raw-spec.js';
import { formatConfigFault, parseServerConfig } from './server-config.js';
import type { ServerSpec } from './server-config.js';
import { namedFileFaults } from './named-files.js';
import { serverSpec } from './server-spec.js';
import { BUILT_IN_SOURCE, normalizeSource, sourceEntriesSpec } from './source-entry-spec.js';
import { joinFaults, parseWithFaults } from './spec-fault.js';
import { specNotices } from './spec-notices.js';
import type { SpecFault } from './spec-fault.js';
import { always } from './refinements.js';
import { webhooksNameSources, webhooksSpec } from './webhook-spec.js';

/** `spec` of an MCPRegistry, v1alpha1 and v1beta1 alike: type, validation, messages and CRD. */
export const registrySpecSchema = z
  .strictObject({
    displayName: z.string().max(253).optional().describe('displayName is the human-readable name of the registry.'),
    registries: sourceEntriesSpec,
    auth: authSpec.optional(),
    authConfig: authSpec.optional().describe('authConfig is an alias of auth.'),
    databaseConfig: databaseSpec.optional(),
    ...surfaceFields,
    webhooks: webhooksSpec.optional(),
    server: serverSpec.optional(),
    enforceServers: z
      .boolean()
      .default(false)
      .describe('enforceServers is accepted for compatibility and has no effect.'),
    serviceAccountName: objectName
      .optional()
      .describe(
        'serviceAccountName is the ServiceAccount of this namespace that the operator acts as for this registry. The pods run as another one.',
      ),
    podTemplateSpec: z
      .looseObject({})
      .optional()
      .describe(
        'podTemplateSpec is merged with the pod template of the registry. Its main container is named registry-api.',
      ),
    ...rawFields,
  })
  .superRefine(authIsChosen, always)
  .superRefine(managedHasDatabase('registries', 'databaseConfig'), always)
  .superRefine(managedHasWriters('registries'), always)
  .superRefine(publicReadIsServed(['registries'], [BUILT_IN_SOURCE]), always)
  .superRefine(webhooksNameSources('registries'), always)
  .superRefine(rawFieldsFit, always)
  .superRefine(loginIsPossible, always)
  .meta(
    admission(
      {
        rule: '!has(self.auth) || !has(self.authConfig)',
        message: 'set only one of auth and authConfig: they are two spellings of the same',
      },
      {
        rule: 'has(self.auth) || has(self.authConfig) || has(self.configYAML)',
        message: 'auth is required: set auth.mode to oauth with a provider, or to anonymous for an open registry',
      },
      {
        rule: 'has(self.databaseConfig) || !has(self.registries) || !self.registries.exists(source, has(source.managed))',
        message:
          'managed needs databaseConfig: without it, entries that were published here would be lost with the pod',
      },
      loginAdmission,
      managedHasWritersRule,
      ...rawFieldsAdmission,
    ),
  );

/** The normalized spec: the same shape whether the user wrote fields or a `configYAML`. */
export interface RegistrySpec extends ServerSpec {
  /** The ServiceAccount that the operator acts as. */
  readonly serviceAccountName?: string;
  readonly podTemplateSpec?: Readonly<Record<string, unknown>>;
  readonly imagePullSecrets: readonly { readonly name: string }[];
  /** Number of read-only servers beside the one that syncs. */
  readonly readers: number;
  readonly raw?: RawSpec;
}

interface RawSpec {
  readonly configYAML: string;
  readonly volumes: readonly Readonly<Record<string, unknown>>[];
  readonly volumeMounts: readonly Readonly<Record<string, unknown>>[];
  readonly pgpassSecretRef?: { readonly name: string; readonly key: string };
}

const BEYOND_BUDGET =
  `is too large: at most ${WALK_BUDGET.nodes} fields and ${WALK_BUDGET.depth} levels are allowed; shorten it, ` +
  'or flatten podTemplateSpec';

/** Reads `spec` as a user wrote it; never throws, and reports the first faults at once. */
export function parseRegistrySpec(
  input: unknown,
): { spec: RegistrySpec; notices: readonly Notice[] } | { faults: SpecFault[] } {
  if (!isWithinBudget(input)) return { faults: [{ path: ['spec'], message: BEYOND_BUDGET }] };
  const parsed = parseWithFaults(registrySpecSchema, input, { root: ['spec'] });
  const server = readConfigYAML(input);
  if ('faults' in parsed || 'faults' in server) {
    return { faults: [parsed, server].flatMap((part) => ('faults' in part ? part.faults : [])) };
  }
  const spec = normalize(parsed.value, server.spec);
  const faults = namedFileFaults(spec, parsed.value.authConfig ? 'authConfig' : 'auth');
  if (faults.length > 0) return { faults };
  return { spec, notices: specNotices(parsed.value, spec) };
}

function readConfigYAML(input: unknown): { spec: ServerSpec | undefined } | { faults: SpecFault[] } {
  const configYAML: unknown = (input as { configYAML?: unknown } | null | undefined)?.configYAML;
  if (typeof configYAML !== 'string' || configYAML === '' || configYAML.length > CONFIG_LIMIT)
    return { spec: undefined };
  const known = recentlyRead.get(configYAML);
  const read = known ?? readServerSpec(configYAML);
  // Reinserted, so that the first of the map is the least recently used.
  if (known) recentlyRead.delete(configYAML);
  else if (recentlyRead.size >= RECENTLY_READ) recentlyRead.delete(recentlyRead.keys().next().value as string);
  recentlyRead.set(configYAML, read);
  return read;
}

type ReadServerSpec = { readonly spec: ServerSpec } | { readonly faults: SpecFault[] };

/** An LRU cache: every step of provisioning and every sync reads the same text again. */
const recentlyRead = new Map<string, ReadServerSpec>();
const RECENTLY_READ = 32;

function readServerSpec(configYAML: string): ReadServerSpec {
  const read = parseServerConfig(configYAML);
  if (!('faults' in read)) return { spec: read.spec };
  return { faults: [{ path: ['spec', 'configYAML'], message: joinFaults(read.faults.map(formatConfigFault)) }] };
}

/** `server`: what a `configYAML` says. */
function normalize(spec: z.output<typeof registrySpecSchema>, server: ServerSpec | undefined): RegistrySpec {
  const { displayName = server?.displayName, serviceAccountName, podTemplateSpec, configYAML } = spec;
  return {
    ...(server ?? normalizeFields(spec)),
    ...(displayName !== undefined && { displayName }),
    ...(serviceAccountName !== undefined && { serviceAccountName }),
    ...(podTemplateSpec && { podTemplateSpec }),
    imagePullSecrets: spec.imagePullSecrets ?? [],
    readers: spec.server?.readers ?? 0,
    ...(configYAML !== undefined && {
      raw: {
        configYAML,
        volumes: spec.volumes ?? [],
        volumeMounts: spec.volumeMounts ?? [],
        ...(spec.pgpassSecretRef && { pgpassSecretRef: spec.pgpassSecretRef }),
      },
    }),
  };
}

function normalizeFields({
  registries,
  authConfig,
  auth = authConfig,
  databaseConfig,
  webhooks,
  ...surface
}: z.output<typeof registrySpecSchema>): ServerSpec {
  return {
    // One of its two spellings is there, or the spec is refused.
    auth: normalizeAuth(auth!),
    registries: (registries ?? []).map((source) => normalizeSource(source)),
    ...(databaseConfig && { databaseConfig }),
    ...(webhooks && { webhooks }),
    ...toSurface(surface),
  };
}

/** Refuses a spec without auth: a registry is never open by omission. */
function authIsChosen(spec: unknown, context: z.core.$RefinementCtx): void {
  if (typeof spec !== 'object' || spec === null) return;
  const { auth, authConfig, configYAML } = spec as Record<string, unknown>;
  if (auth !== undefined && authConfig !== undefined) {
    context.addIssue({
      code: 'custom',
      path: ['authConfig'],
      message: 'stands beside auth: set only one of auth and authConfig',
    });
  }
  if (auth === undefined && authConfig === undefined && configYAML === undefined) {
    context.addIssue({
      code: 'custom',
      path: ['auth'],
      message: 'is required: set auth.mode to oauth with a provider, or to anonymous for an open registry',
    });
  }
}
