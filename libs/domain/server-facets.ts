import { textsIn } from './publisher-blocks.js';
import type { PublisherBlock } from './publisher-blocks.js';

/** The words by which a server can be filtered, stored beside it; tags are kept apart. */
export const REMOTE = 'remote';
export const PACKAGE = 'package';
/** It can be used without any secret, in one way at least. */
export const SECRET_FREE = 'secret-free';

export const transportFacet = (type: string): string => `transport:${type}`;
export const toolFacet = (name: string): string => `tool:${name}`;
export const registryTypeFacet = (type: string): string => `registry-type:${type}`;

/** Tools of one server that can be searched for, and the characters of a name: publishers may list anything. */
export const MAX_TOOLS = 100;
export const MAX_TOOL_NAME = 64;

/** Returns the names of the tools that a publisher lists, as far as they can be searched for. */
export function toolNames(blocks: readonly PublisherBlock[]): string[] {
  const names = textsIn(blocks, 'tools').filter((name) => name !== '' && name.length <= MAX_TOOL_NAME);
  return names.filter((name) => !name.includes('\0') && name.isWellFormed()).slice(0, MAX_TOOLS);
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

/** The ways of a server.json to run a server or to reach it. */
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

/** Called for each entry of a catalogue: it makes few arrays. */
export function facetsOf({ packages = [], remotes = [] }: ServerWays): string[] {
  const facets = new Set<string>();
  if (packages.length > 0) facets.add(PACKAGE);
  if (remotes.length > 0) facets.add(REMOTE);
  for (const { transport } of packages) facets.add(transportFacet(transport.type));
  for (const { type } of remotes) facets.add(transportFacet(type));
  for (const { registryType } of packages) facets.add(registryTypeFacet(registryType));
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

/** Returns whether a template has a secret variable; each variable is an input of its own. */
function isSecretIn(variables: Readonly<Record<string, Input>> | undefined): boolean {
  return variables !== undefined && isSecretAmong(Object.values(variables));
}

function isNeededSecret({ isRequired, isSecret, variables }: Input): boolean {
  return (isRequired === true && isSecret === true) || isSecretIn(variables);
}
