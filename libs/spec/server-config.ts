import { isFields } from '#domain/fields.js';
import { stringify } from 'yaml';
import { z } from 'zod';
import { formatDuration, parseGoDuration } from '#domain/go-duration.js';
import { sourceName } from '#domain/spec-fields.js';
import { normalizeAuth, serverAuthSpec } from './auth-spec.js';
import type { Auth } from './auth-spec.js';
import { parseConfigYaml } from '#sources/yaml/config-yaml.js';
import { loginIsPossible, surfaceFields, toSurface } from './console-spec.js';
import type { Surface } from './console-spec.js';
import { serverDatabaseSpec } from './database-spec.js';
import type { DatabaseConfig } from './database-spec.js';
import { managedHasDatabase } from './managed-has-database.js';
import { managedHasWriters } from './managed-has-writers.js';
import { publicReadIsServed } from './public-read.js';
import { always, uniqueNames } from './refinements.js';
import { normalizeSource, serverEntriesSpec } from './source-entry-spec.js';
import type { RegistrySource } from './source-entry-spec.js';
import { formatPath } from '#domain/field-path.js';
import { parseWithFaults } from './spec-fault.js';
import type { SpecFault } from './spec-fault.js';
import { webhooksNameSources, webhooksSpec } from './webhook-spec.js';
import type { WebhookSpec } from './webhook-spec.js';

/** The configuration of a registry server, with everything that it needs from its MCPRegistry. */
export interface ServerSpec extends Surface {
  readonly displayName?: string;
  readonly auth: Auth;
  readonly registries: readonly RegistrySource[];
  /** The views that are served below `/registry/{name}`. If absent, each source is served under its own name. */
  readonly views?: readonly RegistryView[];
  readonly databaseConfig?: DatabaseConfig;
  /** The senders whose webhook deliveries start a sync. */
  readonly webhooks?: readonly WebhookSpec[];
}

/** Several sources under one name. The first source with a server takes precedence. */
export interface RegistryView {
  readonly name: string;
  readonly sources: readonly string[];
}

/** Identifies the MCPRegistry to which a configuration belongs. */
export interface ServerIdentity {
  readonly namespace: string;
  readonly name: string;
}

export interface ConfigFault extends SpecFault {
  /** The line in the text, starting at 1. */
  readonly line: number;
}

export interface ServerConfig {
  /** The names in the text, if any. A hand-written configuration may have none. */
  readonly identity: Partial<ServerIdentity>;
  readonly spec: ServerSpec;
}

/** Formats an error, for example `line 12: registries[0].git.path: "data.yaml" must be a .json file`. */
export function formatConfigFault({ line, path, message }: ConfigFault): string {
  return [`line ${line}`, formatPath(path), message].filter(Boolean).join(': ');
}

const text = z.string().min(1).max(253);
const withoutEffect = z.unknown().optional().describe('A setting of another server; has no effect here.');

const commonFields = {
  registryName: text.optional().describe('Name of the MCPRegistry.'),
  namespace: text.optional().describe('Namespace of the MCPRegistry.'),
  displayName: text.optional().describe('displayName is the human-readable name of the registry.'),
  auth: serverAuthSpec,
  database: serverDatabaseSpec.optional(),
  ...surfaceFields,
  webhooks: webhooksSpec.optional(),
  fileStorage: withoutEffect,
  leaderElectionID: withoutEffect,
  telemetry: withoutEffect,
  watchNamespace: withoutEffect,
};

/** A configuration in which each registry is one source. */
const flatConfig = z
  .strictObject({ ...commonFields, registries: serverEntriesSpec })
  .superRefine(managedHasDatabase('registries', 'database'), always)
  .superRefine(managedHasWriters('registries'), always)
  .superRefine(publicReadIsServed(['registries']), always)
  .superRefine(webhooksNameSources('registries'), always)
  .superRefine(loginIsPossible, always);

const view = z.strictObject({
  name: sourceName.describe('Name of the registry.'),
  sources: z.array(z.string()).min(1).max(20).describe('Names of its sources, in order of precedence.'),
});

/** A configuration in which registries consist of several sources. */
const viewConfig = z
  .strictObject({
    ...commonFields,
    sources: serverEntriesSpec,
    registries: z
      .array(view)
      .min(1)
      .max(100)
      .superRefine(uniqueNames, always)
      .describe('The registries that are served.'),
  })
  .superRefine(managedHasDatabase('sources', 'database'), always)
  .superRefine(managedHasWriters('sources'), always)
  .superRefine(publicReadIsServed(['registries', 'sources']), always)
  .superRefine(webhooksNameSources('sources'), always)
  .superRefine(loginIsPossible, always)
  .superRefine(viewsNameSources, always);

/**
 * Parses the configuration of a server, in either of its two forms. Never throws, and reports the first errors
 * together.
 */
export function parseServerConfig(text: string): ServerConfig | { faults: ConfigFault[] } {
  const read = parseConfigYaml(text);
  if ('faults' in read) return { faults: read.faults.map((fault) => ({ ...fault, path: [] })) };
  const parsed = parseContent(read.content);
  if (!('faults' in parsed)) return parsed;
  return { faults: parsed.faults.map((fault) => ({ ...fault, line: read.lineOf(fault.path) })) };
}

function parseContent(content: unknown): ServerConfig | { faults: SpecFault[] } {
  if (hasViews(content)) {
    const parsed = parseWithFaults(viewConfig, content);
    if ('faults' in parsed) return parsed;
    const { sources, registries, ...common } = parsed.value;
    return toServerConfig(
      common,
      (sources ?? []).map((source) => normalizeSource(source, 'upstream')),
      registries,
    );
  }
  const parsed = parseWithFaults(flatConfig, content);
  if ('faults' in parsed) return parsed;
  const { registries, ...common } = parsed.value;
  return toServerConfig(
    common,
    (registries ?? []).map((source) => normalizeSource(source)),
  );
}

function toServerConfig(
  {
    registryName,
    namespace,
    displayName,
    auth,
    database,
    webhooks,
    ...surface
  }: Omit<z.output<typeof flatConfig>, 'registries'>,
  registries: readonly RegistrySource[],
  views?: readonly RegistryView[],
): ServerConfig {
  return {
    identity: {
      ...(namespace !== undefined && { namespace }),
      ...(registryName !== undefined && { name: registryName }),
    },
    spec: {
      ...(displayName !== undefined && { displayName }),
      auth: normalizeAuth(auth),
      registries,
      ...(views && { views }),
      ...(database && { databaseConfig: database }),
      ...(webhooks && { webhooks }),
      ...toSurface(surface),
    },
  };
}

/**
 * Renders the configuration of a registry's server, which {@link parseServerConfig} reads. The same spec always gives
 * the same text. It refers to objects but never includes their content.
 */
export function renderServerConfig(spec: ServerSpec, { namespace, name }: ServerIdentity): string {
  const { displayName, registries, views, databaseConfig, auth, webhooks, ...surface } = spec;
  const sources = registries.map(renderSource);
  const content = {
    registryName: name,
    namespace,
    displayName,
    ...(views ? { sources, registries: views } : { registries: sources.length > 0 ? sources : undefined }),
    database: databaseConfig,
    auth,
    webhooks,
    ...toSurface(surface),
  };
  return stringify(content, { aliasDuplicateObjects: false, lineWidth: 0 });
}

function renderSource({ name, type, spec, format, intervalMs, filter, defaultNamespace }: RegistrySource): unknown {
  return {
    name,
    format,
    [type]: spec,
    ...(intervalMs !== undefined && { syncPolicy: { interval: spellDuration(intervalMs) } }),
    filter,
    defaultNamespace,
  };
}

/** Returns a duration in the form that users write, if that is exact, and otherwise in milliseconds. */
function spellDuration(milliseconds: number): string {
  const usual = formatDuration(milliseconds);
  return parseGoDuration(usual) === milliseconds ? usual : `${milliseconds}ms`;
}

function hasViews(content: unknown): boolean {
  if (!isFields(content)) return false;
  const { sources, registries } = content;
  return sources !== undefined || (Array.isArray(registries) && registries.some((each) => each?.sources !== undefined));
}

function viewsNameSources(config: unknown, context: z.core.$RefinementCtx): void {
  if (!isFields(config)) return;
  const { sources, registries } = config;
  const known = new Set((Array.isArray(sources) ? sources : []).map((source) => source?.name));
  for (const [index, each] of (Array.isArray(registries) ? registries : []).entries()) {
    for (const [position, name] of (Array.isArray(each?.sources) ? each.sources : []).entries()) {
      if (typeof name !== 'string' || known.has(name)) continue;
      const message = 'is not the name of one of the sources: add it there, or correct it';
      context.addIssue({ code: 'custom', path: ['registries', index, 'sources', position], message });
    }
  }
}
