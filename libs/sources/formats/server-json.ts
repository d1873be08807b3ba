import { isFields } from '#domain/fields.js';
import { z } from 'zod';
import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import { PUBLISHER_PROVIDED, publisherBlocks, textsIn } from '#domain/publisher-blocks.js';
import type { PublisherBlock } from '#domain/publisher-blocks.js';
import { facetsOf, toolFacets } from '#domain/server-facets.js';
import { EntryFault } from './entry-fault.js';
import type { EntryText } from './entry-text.js';
import { fastCheck } from './fast-check.js';
import { needsNormalizing, normalizeServer } from './normalize-server.js';

/** The schema that responses refer to. An entry that refers to another schema keeps its own. */
export const SERVER_SCHEMA = 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json';

/**
 * server.json as registries exchange it (2025-12-11, and the camelCase versions before it).
 *
 * Strict where an error would break clients: the identity of an entry, how to start or reach it, and the type of every
 * known field, because a client in a typed language rejects a whole page if one string is a number. Lenient where real
 * catalogues deviate from the schema: long titles and descriptions, a `repository` without url, positional arguments
 * without value or hint, other package types. Unknown fields are kept.
 */
const text = z.string();
const someText = z.string().min(1);
const flag = z.boolean().optional();

const input = {
  description: text.optional(),
  isRequired: flag,
  isSecret: flag,
  format: text.optional(),
  value: text.optional(),
  default: text.optional(),
  placeholder: text.optional(),
  choices: z.array(text).optional(),
};

const variables = z.record(text, z.looseObject(input)).optional();

const namedInput = z.looseObject({ name: someText, ...input, variables });

const ARGUMENT_TYPES = ['named', 'positional'] as const;

const argument = z
  .looseObject({
    type: z.enum(ARGUMENT_TYPES),
    name: text.optional(),
    valueHint: text.optional(),
    isRepeated: flag,
    ...input,
    variables,
  })
  .refine(({ type, name }) => type !== 'named' || name, {
    path: ['name'],
    error: 'is missing: a named argument needs it',
  })
  .register(z.globalRegistry, {
    anyOf: [
      { properties: { type: { const: 'positional' } } },
      { required: ['name'], properties: { name: { minLength: 1 } } },
    ],
  });

/** A URL, which may be a template such as `https://{region}.example.com/mcp`. */
const WEB_URL = /^(https?:\/\/|\{)\S+$/;

const transportFields = { url: text.optional(), headers: z.array(namedInput).optional(), variables };

const reachable = ({ type, url }: { type: string; url?: string | undefined }) =>
  type === 'stdio' || WEB_URL.test(url ?? '');
const reachableInJsonSchema = {
  anyOf: [
    { properties: { type: { const: 'stdio' } } },
    { required: ['url'], properties: { url: { pattern: WEB_URL.source } } },
  ],
};
const unreachable = { path: ['url'], error: 'must be an http:// or https:// URL, which this type of transport needs' };

const packageTransport = z
  .looseObject({ type: z.enum(['stdio', 'sse', 'streamable-http']), ...transportFields })
  .refine(reachable, unreachable)
  .register(z.globalRegistry, reachableInJsonSchema);

const remoteTransport = z
  .looseObject({ type: z.enum(['sse', 'streamable-http']), ...transportFields })
  .refine(reachable, unreachable)
  .register(z.globalRegistry, reachableInJsonSchema);

const packageSchema = z.looseObject({
  registryType: someText,
  identifier: someText,
  transport: packageTransport,
  registryBaseUrl: text.optional(),
  version: text.optional(),
  fileSha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hexadecimal digits')
    .optional(),
  runtimeHint: text.optional(),
  runtimeArguments: z.array(argument).optional(),
  packageArguments: z.array(argument).optional(),
  environmentVariables: z.array(namedInput).optional(),
});

const NAME = /^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/;
const VERSION_LIMIT = 255;

/** A string that npm treats as a range: `^1.2`, `>=1`, `1.x`, `1 - 2`, `1 || 2`. */
const RANGE = /^[\^~<>=]|^v?[\d.]*[xX*](\.[xX*\d]+)*$|\|\|/;

const OUTSIDE_URLS = /[\s\p{Cc}]|^\.\.?$/u;
/** The pattern of OUTSIDE_URLS for the OpenAPI document, because not every language supports \p{Cc}. */
const OUTSIDE_URLS_PATTERN = OUTSIDE_URLS.source.replace('\\p{Cc}', '\\u0000-\\u001f\\u007f-\\u009f');

export const versionSchema = z
  .string()
  .min(1)
  .refine((version) => codePoints(version, VERSION_LIMIT), { abort: true, error: 'must have at most 255 characters' })
  .refine((version) => version !== 'latest', {
    abort: true,
    error: 'must be one version: clients use "latest" to request the newest one',
  })
  .refine((version) => !RANGE.test(version), { abort: true, error: 'must be one version, not a range' })
  .refine((version) => !OUTSIDE_URLS.test(version), 'must be usable in a URL: no spaces, not "." or ".."')
  .register(z.globalRegistry, {
    maxLength: VERSION_LIMIT,
    not: { anyOf: [{ const: 'latest' }, { pattern: RANGE.source }, { pattern: OUTSIDE_URLS_PATTERN }] },
  });

export const serverJsonSchema = z.looseObject({
  $schema: text.optional(),
  name: z
    .string()
    .min(3, 'must have at least 3 characters')
    .max(200)
    .regex(
      NAME,
      'must be namespace/name, such as io.github.owner/server, of letters, digits, ".", "-" and (in the name) "_"',
    ),
  version: versionSchema,
  description: someText,
  title: text.optional(),
  status: text.optional(),
  websiteUrl: text.optional(),
  repository: z
    .looseObject({ url: text.optional(), source: text.optional(), id: text.optional(), subfolder: text.optional() })
    .optional(),
  icons: z
    .array(
      z.looseObject({
        src: someText,
        mimeType: text.optional(),
        sizes: z.array(text).optional(),
        theme: text.optional(),
      }),
    )
    .optional(),
  packages: z.array(packageSchema).optional(),
  remotes: z.array(remoteTransport).optional(),
  _meta: z.looseObject({ [PUBLISHER_PROVIDED]: z.looseObject({}).optional() }).optional(),
});

export type ServerJson = z.output<typeof serverJsonSchema>;

/** Validates a server.json. Throws an EntryFault. */
export const checkServerJson = fastCheck(serverJsonSchema);

/** Creates an entry from a server.json, which keeps its original text and order. Throws an EntryFault. */
export function toEntry(given: EntryText): CatalogueEntry {
  const { text: json, value, nullsDropped } = normalized(given);
  if (isApiAnswer(value)) {
    throw new EntryFault([], 'is a response of the registry API ({"server", "_meta"}): use only the value of "server"');
  }
  const server = checkServerJson(value);
  const { name, version, description, title } = server;
  const published = publisherBlocks(server);
  const served = server.$schema ? json : `{"$schema":"${SERVER_SCHEMA}",${json.slice(1)}`;
  return {
    key: name,
    name,
    version,
    serverJson: served,
    title: title || undefined,
    description,
    tags: textsIn(published, 'tags'),
    facets: [...facetsOf(server), ...toolFacets(published)],
    status: lifecycleOf(server, published),
    ...(nullsDropped > 0 && { nullsDropped }),
  };
}

function normalized(given: EntryText): EntryText & { readonly nullsDropped: number } {
  if (!needsNormalizing(given.text)) return { ...given, nullsDropped: 0 };
  const { value, nullsDropped } = normalizeServer(given.value);
  return value === given.value ? { ...given, nullsDropped } : { text: JSON.stringify(value), value, nullsDropped };
}

function isApiAnswer(value: unknown): boolean {
  return isFields(value) && 'server' in value && !('name' in value);
}

/** Returns the status from the field that server.json had until 2025-09, or from ToolHive's block. */
function lifecycleOf(server: ServerJson, published: readonly PublisherBlock[]): CatalogueEntry['status'] {
  let lifecycle: CatalogueEntry['status'] = 'active';
  for (const { status } of [server, ...published]) {
    // A publisher's block may contain anything, including objects that cannot be converted to a string.
    const given = typeof status === 'string' ? status.toLowerCase() : undefined;
    if (given === 'deleted') throw new EntryFault(['status'], 'is "deleted": its publisher withdrew it');
    if (given === 'deprecated') lifecycle = given;
  }
  return lifecycle;
}

/**
 * Returns whether a string has at most `limit` characters. Like in JSON Schema, characters are counted, not UTF-16 code
 * units.
 */
function codePoints(value: string, limit: number): boolean {
  return value.length <= limit || Array.from(value).length <= limit;
}
