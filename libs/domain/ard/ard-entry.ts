import { publisherBlocks, textsIn } from '../publisher-blocks.js';
import type { ServerDocument } from '../server-document.js';
import { toolNames } from '../server-facets.js';
import { toIdentifier } from './identifier.js';

/**
 * The media type of an entry: the document behind its address is the `{server, _meta}` of the registry API, which the finders
 * list under this type. It is no server card.
 */
export const SERVER_TYPE = 'application/mcp-server+json';
/** The media types that mean an MCP server in a filter. */
export const SERVER_TYPES: ReadonlySet<string> = new Set([
  SERVER_TYPE,
  'application/mcp-server-card+json',
  'application/mcp-server',
]);

const MAX_TAGS = 32;
const QUERIES = { least: 2, most: 5, length: 256 };

/** The latest served version of a server, as the registry API answers it. */
export interface ServedServer {
  readonly server: ServerDocument & { readonly _meta?: unknown };
  readonly _meta: {
    readonly 'io.modelcontextprotocol.registry/official': { readonly status: string; readonly updatedAt: string };
  };
}

/** An entry of a catalogue of ARD. */
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

/** Makes an entry of a server. `base`: the address below which the registry API is. Throws for a name without identifier. */
export function toArdEntry({ server, _meta }: ServedServer, base: string, source: string | undefined): ArdEntry {
  const { name, title, description, version, packages = [], remotes = [] } = server;
  const { status, updatedAt } = _meta['io.modelcontextprotocol.registry/official'];
  const identifier = toIdentifier(name);
  if (identifier === undefined) throw new Error(`${name} has no identifier`);
  const blocks = publisherBlocks(server);
  const tags = textsIn(blocks, 'tags').slice(0, MAX_TAGS);
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

/** They are the publisher's own words: none is made up, and a list of another length is left out. */
function representativeQueries(given: readonly string[]): readonly string[] | undefined {
  const fits = given.every((query) => query.trim() !== '' && query.length <= QUERIES.length);
  return fits && given.length >= QUERIES.least && given.length <= QUERIES.most ? given : undefined;
}

function joined(values: readonly string[]): string {
  return [...new Set(values)].toSorted().join(',');
}
