import { publisherBlocks, textsIn } from '../publisher-blocks.js';
import type { ServerDocument } from '../server-document.js';
import { tagsOf, toolNames } from '../server-facets.js';
import { toIdentifier } from './identifier.js';

/**
 * The media type of an entry. The document at its URL is the `{server, _meta}` of the registry API, which ARD finders
 * list under this type. It is not a server card.
 */
export const SERVER_TYPE = 'application/mcp-server+json';
/** The media types that stand for an MCP server in a filter. */
export const SERVER_TYPES: ReadonlySet<string> = new Set([
  SERVER_TYPE,
  'application/mcp-server-card+json',
  'application/mcp-server',
]);

const MAX_TAGS = 32;
const QUERIES = { least: 2, most: 5, length: 256 };

/** The latest served version of a server, as in a response of the registry API. */
export interface ServedServer {
  readonly server: ServerDocument & { readonly _meta?: unknown };
  readonly _meta: {
    readonly 'io.modelcontextprotocol.registry/official': { readonly status: string; readonly updatedAt: string };
  };
}

/** An entry of an ARD catalogue. */
export interface ArdEntry {
  readonly identifier: string;
  readonly displayName: string;
  readonly type: string;
  readonly url: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly capabilities?: readonly string[];
  readonly representativeQueries?: readonly string[];
  readonly version?: string;
  readonly updatedAt?: string;
  readonly metadata?: Readonly<Record<string, string | boolean>>;
}

/**
 * Converts a server to an entry. `base` is the URL below which the registry API is served. Throws if the name has no
 * identifier.
 */
export function toArdEntry({ server, _meta }: ServedServer, base: string, source: string | undefined): ArdEntry {
  const { name, title, description, version, packages = [], remotes = [] } = server;
  const { status, updatedAt } = _meta['io.modelcontextprotocol.registry/official'];
  const identifier = toIdentifier(name);
  if (identifier === undefined) throw new Error(`${name} has no identifier`);
  const blocks = publisherBlocks(server);
  const tags = tagsOf(blocks).slice(0, MAX_TAGS);
  const capabilities = toolNames(blocks);
  const queries = representativeQueries(textsIn(blocks, 'representativeQueries'));
  const transports = [...packages.map(({ transport }) => transport.type), ...remotes.map(({ type }) => type)];
  return {
    identifier,
    displayName: title?.trim() || name.slice(name.indexOf('/') + 1),
    type: SERVER_TYPE,
    url: `${base}/v0.1/servers/${encodeURIComponent(name)}/versions/latest`,
    ...(description && { description }),
    ...(tags.length > 0 && { tags }),
    ...(capabilities.length > 0 && { capabilities }),
    ...(queries && { representativeQueries: queries }),
    version,
    updatedAt,
    metadata: {
      serverName: name,
      status: status === 'deprecated' ? 'deprecated' : 'active',
      remote: remotes.length > 0,
      transports: joined(transports),
      packageTypes: joined(packages.map(({ registryType }) => registryType)),
      ...(source !== undefined && { source }),
    },
  };
}

/** Returns the publisher's own queries if their number and lengths are allowed. Never adds other queries. */
function representativeQueries(given: readonly string[]): readonly string[] | undefined {
  const fits = given.every((query) => query.trim() !== '' && query.length <= QUERIES.length);
  return fits && given.length >= QUERIES.least && given.length <= QUERIES.most ? given : undefined;
}

function joined(values: readonly string[]): string {
  return [...new Set(values)].toSorted().join(',');
}
