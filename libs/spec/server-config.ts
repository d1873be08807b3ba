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
import { addAuthFiles, addSourceFiles, dropAuthFiles, dropSourceFiles } from './derived-files.js';
import { managedHasDatabase } from './managed-has-database.js';
import { managedHasWriters } from './managed-has-writers.js';
import { publicReadIsServed } from './public-read.js';
import { always, uniqueNames } from './refinements.js';
import { normalizeSource, serverEntriesSpec } from './source-entry-spec.js';
import type { RegistrySource } from './source-entry-spec.js';
import { formatPath, parseWithFaults } from './spec-fault.js';
import type { SpecFault } from './spec-fault.js';
import { webhooksNameSources, webhooksSpec } from './webhook-spec.js';
import type { WebhookSpec } from './webhook-spec.js';

/** The configuration of a registry server: everything that it needs to know of its MCPRegistry. */
export interface ServerSpec extends Surface {
  readonly displayName?: string;
  readonly auth: Auth;
  readonly registries: readonly RegistrySource[];
  /** The views that are served below `/registry/{name}`; when absent, each source has its own name. */
  readonly views?: readonly RegistryView[];
  readonly databaseConfig?: DatabaseConfig;
  /** The senders whose deliveries start a sync. */
  readonly webhooks?: readonly WebhookSpec[];
}

/** Several sources under one name; the first that has a server wins it. */
export interface RegistryView {
  readonly name: string;
  readonly sources: readonly string[];
}

/** Whose configuration it is. */
export interface ServerIdentity {
  readonly namespace: string;
  readonly name: string;
}

export interface ConfigFault extends SpecFault {
  /** The line in the text, counted from 1. */
  readonly line: number;
}

export interface ServerConfig {
  /** The names in the text, as far as it has any: a configuration that is written by hand may have none. */
  readonly identity: Partial<ServerIdentity>;
  readonly spec: ServerSpec;
}

/** `line 12: registries[0].git.path: "data.yaml" must be a .json file` */
export function formatConfigFault({ line, path, message }: ConfigFault): string {
  return [`line ${line}`, formatPath(path), message].filter(Boolean).join(': ');
}

const text = z.string().min(1).max(253);
const withoutEffect = z.unknown().optional().describe('Of another server; without effect.');

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

/** Each registry is one source. */
const flatConfig = z
  .strictObject({ ...commonFields, registries: serverEntriesSpec })
  .superRefine(managedHasDatabase('registries', 'database'), always)
  .superRefine(managedHasWriters('registries'), always)
  .superRefine(publicReadIsServed(['registries']), always)
  .superRefine(webhooksNameSources('registries'), always)
  .superRefine(loginIsPossible, always);

const view = z.strictObject({
  name: sourceName.describe('Name of the registry.'),
  sources: z.array(z.string()).min(1).max(20).describe('Names of its sources; the first that has a server wins it.'),
});

/** Registries are made of sources. */
const viewConfig = z
  .strictObject({
    ...commonFields,
    sources: serverEntriesSpec,
    registries: z.array(view).min(1).max(100).superRefine(uniqueNames, always).describe('What is served, by name.'),
  })
  .superRefine(managedHasDatabase('sources', 'database'), always)
  .superRefine(managedHasWriters('sources'), always)
  .superRefine(publicReadIsServed(['registries', 'sources']), always)
  .superRefine(webhooksNameSources('sources'), always)
  .superRefine(loginIsPossible, always)
  .superRefine(viewsNameSources, always);

/** Reads the configuration of a server, of either generation; never throws, and reports the first faults at once. */
export function parseServerConfig(text: string): ServerConfig | { faults: ConfigFault[] } {
  const read = parseConfigYaml(text);
  if ('faults' in read) return { faults: read.faults.map((fault) => ({ ...fault, path: [] })) };
  const parsed = parseContent(read.content);
  if (!('faults' in parsed)) return parsed;
  return { faults: parsed.faults.map((fault) => ({ ...fault, line: read.lineOf(fault.path) })) };
}

function parseContent(content: unknown): ServerConfig | { faults: SpecFault[] } {
  const bare = withoutFiles(content);
  if (hasViews(bare)) {
    const parsed = parseWithFaults(viewConfig, bare);
    if ('faults' in parsed) return parsed;
    const { sources, registries, ...common } = parsed.value;
    return toServerConfig(
      common,
      (sources ?? []).map((source) => normalizeSource(source, 'upstream')),
      registries,
    );
  }
  const parsed = parseWithFaults(flatConfig, bare);
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
 * The configuration of the server of a registry, in the words that {@link parseServerConfig} and older servers read. The
 * same spec always gives the same text. It names objects and contains nothing of their content.
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
    auth: addAuthFiles(auth),
    webhooks,
    ...toSurface(surface),
  };
  return stringify(content, { aliasDuplicateObjects: false, lineWidth: 0 });
}

function renderSource({ name, type, spec, format, intervalMs, filter, defaultNamespace }: RegistrySource): unknown {
  return addSourceFiles({
    name,
    format,
    [type]: spec,
    ...(intervalMs !== undefined && { syncPolicy: { interval: spellDuration(intervalMs) } }),
    filter,
    defaultNamespace,
  });
}

/** Returns a duration as people write it, if that is exact, and otherwise in milliseconds. */
function spellDuration(milliseconds: number): string {
  const usual = formatDuration(milliseconds);
  return parseGoDuration(usual) === milliseconds ? usual : `${milliseconds}ms`;
}

function withoutFiles(content: unknown): unknown {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return content;
  const { auth, registries, sources } = content as Record<string, unknown>;
  const bare = (list: unknown) => (Array.isArray(list) ? list.map(dropSourceFiles) : list);
  return {
    ...content,
    ...(auth !== undefined && { auth: dropAuthFiles(auth) }),
    ...(registries !== undefined && { registries: bare(registries) }),
    ...(sources !== undefined && { sources: bare(sources) }),
  };
}

function hasViews(content: unknown): boolean {
  if (typeof content !== 'object' || content === null) return false;
  const { sources, registries } = content as Record<string, unknown>;
  return sources !== undefined || (Array.isArray(registries) && registries.some((each) => each?.sources !== undefined));
}

function viewsNameSources(config: unknown, context: z.core.$RefinementCtx): void {
  if (typeof config !== 'object' || config === null) return;
  const { sources, registries } = config as Record<string, unknown>;
  const known = new Set((Array.isArray(sources) ? sources : []).map((source) => source?.name));
  for (const [index, each] of (Array.isArray(registries) ? registries : []).entries()) {
    for (const [position, name] of (Array.isArray(each?.sources) ? each.sources : []).entries()) {
      if (typeof name !== 'string' || known.has(name)) continue;
      const message = 'is not the name of one of the sources: add it there, or correct it';
      context.addIssue({ code: 'custom', path: ['registries', index, 'sources', position], message });
    }
  }
}
