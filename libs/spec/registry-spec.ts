import { BoundedMap } from '#domain/bounded-map.js';
import { isFields } from '#domain/fields.js';
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

/**
 * `spec` of an MCPRegistry, for both v1alpha1 and v1beta1. The type, the validation, the messages and the CRD are
 * derived from it.
 */
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
        'serviceAccountName is the ServiceAccount of this namespace that the operator impersonates for this registry. The pods run as another one.',
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

/** The normalized spec, which has the same shape whether the user wrote fields or a `configYAML`. */
export interface RegistrySpec extends ServerSpec {
  /** The ServiceAccount that the operator impersonates. */
  readonly serviceAccountName?: string;
  readonly podTemplateSpec?: Readonly<Record<string, unknown>>;
  readonly imagePullSecrets: readonly { readonly name: string }[];
  /** Number of read-only servers in addition to the one that syncs. */
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

/** Parses `spec` as the user wrote it. Never throws, and reports the first errors together. */
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
  const read = recentlyRead.get(configYAML) ?? readServerSpec(configYAML);
  recentlyRead.set(configYAML, read);
  return read;
}

type ReadServerSpec = { readonly spec: ServerSpec } | { readonly faults: SpecFault[] };

/** An LRU cache, because every step of provisioning and every sync reads the same text again. */
const recentlyRead = new BoundedMap<string, ReadServerSpec>(32);

function readServerSpec(configYAML: string): ReadServerSpec {
  const read = parseServerConfig(configYAML);
  if (!('faults' in read)) return { spec: read.spec };
  return { faults: [{ path: ['spec', 'configYAML'], message: joinFaults(read.faults.map(formatConfigFault)) }] };
}

/** Normalizes a spec. `server` is the parsed `configYAML`. */
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
    // Either auth or authConfig is present; otherwise the spec is rejected.
    auth: normalizeAuth(auth!),
    registries: (registries ?? []).map((source) => normalizeSource(source)),
    ...(databaseConfig && { databaseConfig }),
    ...(webhooks && { webhooks }),
    ...toSurface(surface),
  };
}

/** Rejects a spec without auth, so that a registry is never public by omission. */
function authIsChosen(spec: unknown, context: z.core.$RefinementCtx): void {
  if (!isFields(spec)) return;
  const { auth, authConfig, configYAML } = spec;
  if (auth !== undefined && authConfig !== undefined) {
    context.addIssue({
      code: 'custom',
      path: ['authConfig'],
      message: 'cannot be combined with auth: set only one of auth and authConfig',
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
