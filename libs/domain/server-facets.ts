import { textsIn } from './publisher-blocks.js';
import type { PublisherBlock } from './publisher-blocks.js';

/** The facets by which a server can be filtered, stored with it. Tags are stored separately. */
export const REMOTE = 'remote';
export const PACKAGE = 'package';
/** The server can be used in at least one way without a secret. */
export const SECRET_FREE = 'secret-free';

export const transportFacet = (type: string): string => `transport:${type}`;
export const toolFacet = (name: string): string => `tool:${name}`;
export const registryTypeFacet = (type: string): string => `registry-type:${type}`;

/**
 * Maximum number of searchable tools, tags and package types of one server, and maximum characters of each, because
 * publishers may list anything.
 */
export const MAX_TERMS = 100;
export const MAX_TERM_LENGTH = 64;

/** Returns the searchable strings without duplicates; the same array if all of them qualify. */
export function searchable(texts: readonly string[]): readonly string[] {
  const isTerm = (text: string) =>
    text !== '' && text.length <= MAX_TERM_LENGTH && !text.includes('\0') && text.isWellFormed();
  const unique = new Set(texts);
  if (unique.size === texts.length && texts.length <= MAX_TERMS && texts.every(isTerm)) return texts;
  return [...unique].filter(isTerm).slice(0, MAX_TERMS);
}

/** Returns the searchable names of the tools that a publisher lists. */
export function toolNames(blocks: readonly PublisherBlock[]): readonly string[] {
  return searchable(textsIn(blocks, 'tools'));
}

/** Returns the searchable tags that a publisher lists. */
export function tagsOf(blocks: readonly PublisherBlock[]): readonly string[] {
  return searchable(textsIn(blocks, 'tags'));
}

export function toolFacets(blocks: readonly PublisherBlock[]): string[] {
  return toolNames(blocks).map(toolFacet);
}

interface Input {
  readonly isRequired?: boolean | undefined;
  readonly isSecret?: boolean | undefined;
  readonly variables?: Readonly<Record<string, Input>> | undefined;
}

interface Transport {
  readonly type: string;
  readonly headers?: readonly Input[] | undefined;
  readonly variables?: Readonly<Record<string, Input>> | undefined;
}

/** The fields of a server.json that describe how to run or reach a server. */
export interface ServerWays {
  readonly packages?:
    | readonly {
        readonly registryType: string;
        readonly transport: Transport;
        readonly runtimeArguments?: readonly Input[] | undefined;
        readonly packageArguments?: readonly Input[] | undefined;
        readonly environmentVariables?: readonly Input[] | undefined;
      }[]
    | undefined;
  readonly remotes?: readonly Transport[] | undefined;
}

/** Returns the facets of a server. Called for every entry of a catalogue, so it allocates few arrays. */
export function facetsOf({ packages = [], remotes = [] }: ServerWays): string[] {
  const facets = new Set<string>();
  if (packages.length > 0) facets.add(PACKAGE);
  if (remotes.length > 0) facets.add(REMOTE);
  for (const { transport } of packages) facets.add(transportFacet(transport.type));
  for (const { type } of remotes) facets.add(transportFacet(type));
  for (const type of searchable(packages.map(({ registryType }) => registryType))) facets.add(registryTypeFacet(type));
  if (!remotes.every(remoteNeedsSecret) || !packages.every(packageNeedsSecret)) facets.add(SECRET_FREE);
  return [...facets];
}

function packageNeedsSecret(each: NonNullable<ServerWays['packages']>[number]): boolean {
  return (
    isSecretAmong(each.runtimeArguments) ||
    isSecretAmong(each.packageArguments) ||
    isSecretAmong(each.environmentVariables) ||
    remoteNeedsSecret(each.transport)
  );
}

function remoteNeedsSecret({ headers, variables }: Transport): boolean {
  return isSecretAmong(headers) || isSecretIn(variables);
}

function isSecretAmong(inputs: readonly Input[] | undefined): boolean {
  return inputs !== undefined && inputs.some(isNeededSecret);
}

/** Returns whether a template has a secret variable. Each variable is an input of its own. */
function isSecretIn(variables: Readonly<Record<string, Input>> | undefined): boolean {
  return variables !== undefined && isSecretAmong(Object.values(variables));
}

function isNeededSecret({ isRequired, isSecret, variables }: Input): boolean {
  return (isRequired === true && isSecret === true) || isSecretIn(variables);
}
