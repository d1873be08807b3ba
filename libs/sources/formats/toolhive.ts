import { z } from 'zod';
import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import { isFields } from '#domain/fields.js';
import { PUBLISHER_PROVIDED, publisherBlocks } from '#domain/publisher-blocks.js';
import { facetsOf, toolFacets } from '#domain/server-facets.js';
import { checked } from './entry-fault.js';
import { qualifyName } from './default-namespace.js';
import { checkServerJson, SERVER_SCHEMA } from './server-json.js';

/**
 * ToolHive's own registry format and its conversion to server.json. Types are checked as for server.json. The lengths
 * and the closed set of fields of the published schema are not checked, because they would reject catalogues that are
 * in use.
 */
const TOOLHIVE_NAMESPACE = 'io.github.stacklok';

const text = z.string();
const someText = z.string().min(1);
const texts = z.array(text);
const fields = z.looseObject({});

const variable = z.looseObject({
  name: someText,
  description: text.optional(),
  required: z.boolean().optional(),
  secret: z.boolean().optional(),
  default: text.optional(),
  choices: texts.optional(),
});

type Variable = z.output<typeof variable>;

const common = {
  name: text.optional(),
  title: text.optional(),
  description: someText,
  status: text.optional(),
  tier: text.optional(),
  tools: texts.optional(),
  tags: texts.optional(),
  overview: text.optional(),
  repository_url: text.optional(),
  metadata: z
    .looseObject({
      stars: z.number().optional(),
      pulls: z.number().optional(),
      last_updated: text.optional(),
    })
    .optional(),
  custom_metadata: fields.optional(),
  env_vars: z.array(variable).optional(),
};

const port = z.int().min(0).max(65535).optional();

const serverSchema = z.looseObject({
  ...common,
  image: someText,
  transport: z.enum(['stdio', 'sse', 'streamable-http']).optional(),
  target_port: port,
  proxy_port: port,
  permissions: fields.optional(),
  args: texts.optional(),
  provenance: fields.optional(),
  docker_tags: texts.optional(),
});

const remoteSchema = z.looseObject({
  ...common,
  url: z.string().regex(/^https?:\/\/\S+$/, 'must be an http:// or https:// URL'),
  transport: z.enum(['sse', 'streamable-http']),
  headers: z.array(variable).optional(),
  oauth_config: fields.optional(),
});

/** Returns the name under which an entry would be served, whose own name takes precedence over its key. */
export function servedName(name: string | undefined, key: string, namespace = TOOLHIVE_NAMESPACE): string {
  return qualifyName(name || key, namespace);
}

/** Converts an entry of `servers`, which is a container image. Throws an EntryFault. */
export function convertServer(key: string, value: unknown, namespace?: string): CatalogueEntry {
  const given = withoutNulls(value);
  const server = checked(serverSchema, given.value);
  const type = server.transport ?? 'stdio';
  const transport = type === 'stdio' ? { type } : { type, url: localUrl(server.target_port) };
  const environmentVariables = server.env_vars?.map((variable) => toInput(variable));
  // Clients other than ToolHive's own know only these arguments. ToolHive's client falls back to the block in _meta.
  const packageArguments = server.args?.map((value) => ({ type: 'positional', value }));
  const ways = filled({ packageArguments, environmentVariables });
  return toEntry(
    servedName(server.name, key, namespace),
    key,
    server,
    { packages: [{ registryType: 'oci', identifier: server.image, transport, ...ways }] },
    server.image,
    {
      permissions: server.permissions,
      args: server.args,
      provenance: server.provenance,
      docker_tags: server.docker_tags,
      proxy_port: server.proxy_port,
    },
    given.nullsDropped,
  );
}

/** Converts an entry of `remote_servers`, which has a URL. Throws an EntryFault. */
export function convertRemote(key: string, value: unknown, namespace?: string): CatalogueEntry {
  const given = withoutNulls(value);
  const remote = checked(remoteSchema, given.value);
  const headers = remote.headers?.map((header) => ({ ...toInput(header), ...filled({ choices: header.choices }) }));
  return toEntry(
    servedName(remote.name, key, namespace),
    key,
    remote,
    { remotes: [{ type: remote.transport, url: remote.url, ...filled({ headers }) }] },
    remote.url,
    { oauth_config: remote.oauth_config, env_vars: remote.env_vars },
    given.nullsDropped,
  );
}

type Common = z.output<z.ZodObject<typeof common>>;

function toEntry(
  name: string,
  key: string,
  entry: Common,
  ways: Record<string, unknown>,
  publishedFor: string,
  published: Record<string, unknown>,
  nullsDropped: number,
): CatalogueEntry {
  const { description, status, repository_url: repositoryUrl, tags = [] } = entry;
  const title = entry.title || entry.name;
  const server = {
    $schema: SERVER_SCHEMA,
    name,
    description,
    ...filled({ title }),
    // The source is always "github", regardless of the host, because clients expect one of the sources that they know.
    ...(repositoryUrl && { repository: { url: repositoryUrl, source: 'github' } }),
    version: '1.0.0',
    ...ways,
    _meta: {
      [PUBLISHER_PROVIDED]: {
        [TOOLHIVE_NAMESPACE]: {
          [publishedFor]: {
            status: status || 'active',
            ...filled({
              tier: entry.tier,
              tools: entry.tools,
              tags: entry.tags,
              overview: entry.overview,
              metadata: entry.metadata && filled(entry.metadata),
              custom_metadata: entry.custom_metadata,
              ...published,
            }),
          },
        },
      },
    },
  };
  const facets = [...facetsOf(checkServerJson(server)), ...toolFacets(publisherBlocks(server))];
  return {
    key,
    name,
    version: server.version,
    serverJson: JSON.stringify(server),
    title: title || undefined,
    description,
    tags: [...new Set(tags)],
    facets,
    status: status?.toLowerCase() === 'deprecated' ? 'deprecated' : 'active',
    ...(nullsDropped > 0 && { nullsDropped }),
  };
}

function localUrl(targetPort: number | undefined): string {
  return targetPort ? `http://localhost:${targetPort}` : 'http://localhost';
}

function toInput({ name, description, required, secret, default: value }: Variable): Record<string, unknown> {
  return { name, ...filled({ description, isRequired: required, isSecret: secret, default: value }) };
}

/** Lists of objects whose fields may also be null. */
const INPUT_LISTS: ReadonlySet<string> = new Set(['env_vars', 'headers']);

/**
 * Removes `null` where it means that a field is absent. In free-form blocks, `null` belongs to the publisher and is
 * kept.
 */
function withoutNulls(value: unknown): { readonly value: unknown; readonly nullsDropped: number } {
  if (!isFields(value)) return { value, nullsDropped: 0 };
  let nullsDropped = 0;
  const drop = (fields: Record<string, unknown>): Record<string, unknown> => {
    const kept = Object.entries(fields).filter(([, member]) => member !== null);
    nullsDropped += Object.keys(fields).length - kept.length;
    return Object.fromEntries(kept.map(([name, member]) => [name, inside(name, member)]));
  };
  const inside = (name: string, member: unknown): unknown => {
    if (name === 'metadata' && isFields(member)) return drop(member);
    if (!INPUT_LISTS.has(name) || !Array.isArray(member)) return member;
    return member.map((item: unknown) => (isFields(item) ? drop(item) : item));
  };
  return { value: drop(value), nullsDropped };
}

/** Removes empty values, so that fields are absent instead of null, false, 0 or empty. */
function filled(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return !value;
}
