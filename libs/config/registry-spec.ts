import { z } from 'zod';
import { authSpec, normalizeAuth } from './auth-spec.js';
import type { Auth } from './auth-spec.js';
import { databaseSpec } from './database-spec.js';
import type { DatabaseConfig } from './database-spec.js';
import { rawFields, rawFieldsFit } from './raw-spec.js';
import { normalizeSource, sourceEntriesSpec } from './source-entry-spec.js';
import type { RegistrySource } from './source-entry-spec.js';
import { parseWithFaults } from './spec-fault.js';
import type { SpecFault } from './spec-fault.js';
import { always } from './refinements.js';

/** `spec` of an MCPRegistry, v1alpha1 and v1beta1 alike: type, validation, messages and CRD. */
export const registrySpecSchema = z
  .strictObject({
    displayName: z.string().max(253).optional().describe('Name for people.'),
    registries: sourceEntriesSpec,
    auth: authSpec.optional(),
    authConfig: authSpec.optional().describe('Another spelling of auth.'),
    databaseConfig: databaseSpec.optional(),
    enforceServers: z.boolean().default(false).describe('Accepted for compatibility; without effect.'),
    podTemplateSpec: z
      .looseObject({})
      .optional()
      .describe("Pod template that is merged with the registry's own; its main container is named registry-api."),
    ...rawFields,
  })
  .superRefine(authIsChosen, always)
  .superRefine(managedHasDatabase, always)
  .superRefine(rawFieldsFit, always);

/** What the user wants, each thing said once and in one way. */
export interface RegistrySpec {
  readonly displayName?: string;
  /** Absent only with `raw`, whose configuration says it. */
  readonly auth?: Auth;
  readonly registries: readonly RegistrySource[];
  readonly databaseConfig?: DatabaseConfig;
  readonly podTemplateSpec?: Readonly<Record<string, unknown>>;
  readonly imagePullSecrets: readonly { readonly name: string }[];
  readonly raw?: RawSpec;
}

interface RawSpec {
  readonly configYAML: string;
  readonly volumes: readonly Readonly<Record<string, unknown>>[];
  readonly volumeMounts: readonly Readonly<Record<string, unknown>>[];
  readonly pgpassSecretRef?: { readonly name: string; readonly key: string };
}

/** Reads `spec` as a user wrote it; never throws, and tells every fault at once. */
export function parseRegistrySpec(input: unknown): { spec: RegistrySpec } | { faults: SpecFault[] } {
  const parsed = parseWithFaults(registrySpecSchema, input, { root: ['spec'] });
  return 'faults' in parsed ? parsed : { spec: normalize(parsed.value) };
}

function normalize(spec: z.output<typeof registrySpecSchema>): RegistrySpec {
  const { displayName, registries, auth = spec.authConfig, databaseConfig, podTemplateSpec, configYAML } = spec;
  return {
    ...(displayName !== undefined && { displayName }),
    ...(auth && { auth: normalizeAuth(auth) }),
    registries: (registries ?? []).map(normalizeSource),
    ...(databaseConfig && { databaseConfig }),
    ...(podTemplateSpec && { podTemplateSpec }),
    imagePullSecrets: spec.imagePullSecrets ?? [],
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

/** Nobody gets an open registry by leaving something out. */
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
      message:
        'is required: set auth.mode to oauth with a provider, or to anonymous for a registry that everybody may read',
    });
  }
}

/** Published entries exist nowhere else; the database inside a pod goes with the pod. */
function managedHasDatabase(spec: unknown, context: z.core.$RefinementCtx): void {
  if (typeof spec !== 'object' || spec === null) return;
  const { registries, databaseConfig } = spec as Record<string, unknown>;
  if (databaseConfig !== undefined || !Array.isArray(registries)) return;
  for (const [index, entry] of registries.entries()) {
    if (entry?.managed === undefined) continue;
    context.addIssue({
      code: 'custom',
      path: ['registries', index, 'managed'],
      message: 'needs databaseConfig: without it, entries that were published here would be lost with the pod',
    });
  }
}
