import { facetsOf, PACKAGE, REMOTE, SECRET_FREE } from '#domain/server-facets.js';

/** Fields of server.json as served by the API. The server has checked the type of each. */
export interface Input {
  readonly name?: string;
  readonly description?: string;
  readonly isRequired?: boolean;
  readonly isSecret?: boolean;
  readonly value?: string;
  readonly default?: string;
  readonly placeholder?: string;
  readonly choices?: readonly string[];
  readonly variables?: Readonly<Record<string, Input>>;
}

export interface Argument extends Input {
  readonly type: 'named' | 'positional';
  readonly valueHint?: string;
  readonly isRepeated?: boolean;
}

export interface Transport {
  readonly type: string;
  readonly url?: string;
  readonly headers?: readonly Input[];
  readonly variables?: Readonly<Record<string, Input>>;
}

export interface Package {
  readonly registryType: string;
  readonly identifier: string;
  readonly transport: Transport;
  readonly registryBaseUrl?: string;
  readonly version?: string;
  readonly runtimeHint?: string;
  readonly runtimeArguments?: readonly Argument[];
  readonly packageArguments?: readonly Argument[];
  readonly environmentVariables?: readonly Input[];
}

export interface ServerJson {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly title?: string;
  readonly websiteUrl?: string;
  readonly repository?: { readonly url?: string; readonly source?: string; readonly subfolder?: string };
  readonly icons?: readonly { readonly src: string }[];
  readonly packages?: readonly Package[];
  readonly remotes?: readonly Transport[];
  readonly _meta?: Readonly<Record<string, unknown>>;
}

export interface OfficialMeta {
  readonly status: 'active' | 'deprecated' | 'deleted';
  readonly statusMessage?: string;
  readonly statusChangedAt?: string;
  readonly publishedAt?: string;
  readonly updatedAt?: string;
  readonly isLatest?: boolean;
}

/** One version of one server: an element of `servers`. */
export interface ServerEntry {
  readonly server: ServerJson;
  readonly _meta: { readonly 'io.modelcontextprotocol.registry/official': OfficialMeta };
}

export const officialMeta = (entry: ServerEntry): OfficialMeta =>
  entry._meta['io.modelcontextprotocol.registry/official'];

export interface Ways {
  readonly isRemote: boolean;
  readonly isLocal: boolean;
  /** Whether the server can be used in at least one way that needs no secret. */
  readonly isSecretFree: boolean;
  /** Types of its packages, such as `oci`, without duplicates. */
  readonly packageTypes: readonly string[];
}

/** Returns the ways in which a server can be used, by the same rules as the filters of the API. */
export function waysOf(server: ServerJson): Ways {
  const facets = facetsOf(server);
  return {
    isRemote: facets.includes(REMOTE),
    isLocal: facets.includes(PACKAGE),
    isSecretFree: facets.includes(SECRET_FREE),
    packageTypes: [...new Set((server.packages ?? []).map(({ registryType }) => registryType))],
  };
}

/** Information from the publisher beyond the schema. */
export interface PublisherNotes {
  readonly tags: readonly string[];
  readonly tools: readonly string[];
  readonly tier?: string;
}

const PUBLISHER_PROVIDED = 'io.modelcontextprotocol.registry/publisher-provided';

/**
 * Reads tags, tools and tier from the publisher's block (name → way → notes). The server does not check the shape of
 * that block.
 */
export function publisherNotes(server: ServerJson): PublisherNotes {
  const blocks = Object.values(toRecord(server._meta?.[PUBLISHER_PROVIDED])).flatMap((publisher) => [
    toRecord(publisher),
    ...Object.values(toRecord(publisher)).map(toRecord),
  ]);
  const texts = (field: string) => [
    ...new Set(
      blocks.flatMap((block) => (Array.isArray(block[field]) ? (block[field] as unknown[]).flatMap(toToolName) : [])),
    ),
  ];
  const tier = blocks.map(({ tier }) => tier).find((one) => typeof one === 'string');
  return { tags: texts('tags'), tools: texts('tools'), ...(tier !== undefined && { tier }) };
}

/** Returns the name of a tool, which is listed as a string or as a definition with a name. */
function toToolName(item: unknown): string[] {
  if (typeof item === 'string') return [item];
  const { name } = toRecord(item);
  return typeof name === 'string' ? [name] : [];
}

const toRecord = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
