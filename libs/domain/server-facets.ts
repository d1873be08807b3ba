/** What a server can be filtered by, as words that are stored beside it; tags are kept apart. */
export const REMOTE = 'remote';
export const PACKAGE = 'package';
/** It can be used without any secret, in one way at least. */
export const SECRET_FREE = 'secret-free';

export const transportFacet = (type: string): string => `transport:${type}`;
export const registryTypeFacet = (type: string): string => `registry-type:${type}`;

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

export function facetsOf({ packages = [], remotes = [] }: ServerWays): string[] {
  const transports = [...packages.map(({ transport }) => transport), ...remotes];
  const isSecretFree =
    remotes.some((remote) => !transportInputs(remote).some(isNeededSecret)) ||
    packages.some((each) => !packageInputs(each).some(isNeededSecret));
  return [
    ...new Set([
      ...(packages.length > 0 ? [PACKAGE] : []),
      ...(remotes.length > 0 ? [REMOTE] : []),
      ...transports.map(({ type }) => transportFacet(type)),
      ...packages.map(({ registryType }) => registryTypeFacet(registryType)),
      ...(isSecretFree ? [SECRET_FREE] : []),
    ]),
  ];
}

function packageInputs(each: NonNullable<ServerWays['packages']>[number]): readonly Input[] {
  const { runtimeArguments = [], packageArguments = [], environmentVariables = [], transport } = each;
  return [...runtimeArguments, ...packageArguments, ...environmentVariables, ...transportInputs(transport)];
}

function transportInputs({ headers = [], variables = {} }: Transport): readonly Input[] {
  return [...headers, ...Object.values(variables)];
}

/** Of a template, each variable is an input of its own. */
function isNeededSecret({ isRequired, isSecret, variables = {} }: Input): boolean {
  return (isRequired === true && isSecret === true) || Object.values(variables).some(isNeededSecret);
}
