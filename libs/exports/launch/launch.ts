import type { ServerArgument, ServerPackage } from '#domain/server-document.js';
import { demandVisible } from '../characters.js';
import { fixedText, resolveInput } from '../inputs.js';
import type { Notes, Value } from '../inputs.js';
import { Omitted } from '../omission.js';

/** A command that starts a package, its values resolved. */
export interface Launch {
  readonly command: string;
  readonly args: readonly Value[];
  readonly env: readonly { readonly name: string; readonly value: Value }[];
}

const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** What launchers take for a package of a registry: no option, path, URL or repository stands in its place. */
const IDENTIFIERS: Readonly<Record<string, RegExp>> = {
  npm: /^(@[A-Za-z0-9_][\w.-]*\/)?[A-Za-z0-9_][\w.-]*$/,
  pypi: /^[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?(\[[\w.,-]+\])?$/,
  nuget: /^[A-Za-z0-9_][\w.-]*$/,
  oci: /^[A-Za-z0-9][A-Za-z0-9.-]*(:\d{1,5}(?=\/))?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/,
};
const VERSION = /^[^\s@=/:\\-][^\s@=/:\\]*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const MAX_IDENTIFIER = 1024;

/** The bases that server.json names for each type; a launcher knows them. */
const PUBLIC_BASES: Readonly<Record<string, readonly string[]>> = {
  npm: ['https://registry.npmjs.org'],
  pypi: ['https://pypi.org'],
  nuget: ['https://api.nuget.org', 'https://api.nuget.org/v3/index.json'],
  oci: ['https://docker.io'],
};

/** Throws `Omitted` for a package that no launcher starts, or whose words mean something else to it. */
export function demandLaunchable({ registryType, identifier, version, transport }: ServerPackage): void {
  if (registryType === 'mcpb') throw new Omitted('bundle');
  const pattern = IDENTIFIERS[registryType];
  if (!pattern) throw new Omitted('no-launcher', `packages of type ${registryType.slice(0, 40)}`);
  if (transport.type !== 'stdio') throw new Omitted('local-http');
  demandVisible(identifier);
  if (identifier.length > MAX_IDENTIFIER || !pattern.test(identifier)) {
    throw new Omitted('fails-client-schema', 'the identifier is no package of its registry', '/identifier');
  }
  const isVersion = registryType === 'oci' ? TAG : VERSION;
  if (version !== undefined && !isVersion.test(demandVisible(version))) {
    throw new Omitted('fails-client-schema', 'the version is none that a launcher takes', '/version');
  }
}

/** Returns a registry of the package that is not the public one of its type; undefined: it is. */
export function privateBase({ registryType, registryBaseUrl }: ServerPackage): string | undefined {
  if (registryBaseUrl === undefined) return undefined;
  const base = demandVisible(registryBaseUrl).replace(/\/+$/, '');
  if (PUBLIC_BASES[registryType]?.includes(base)) return undefined;
  if (!URL.canParse(base) || !/^https?:$/.test(new URL(base).protocol) || /\s/.test(base)) {
    throw new Omitted('fails-client-schema', 'the base URL of the registry is none', '/registryBaseUrl');
  }
  const { username, password } = new URL(base);
  if (username !== '' || password !== '') throw new Omitted('credentials-in-url');
  return base;
}

/** Returns the arguments as values: a named one becomes two, and what is optional and has no value is left out. */
export function toArguments(list: readonly ServerArgument[] | undefined, notes: Notes): Value[] {
  return (list ?? []).flatMap((argument): Value[] => {
    if (argument.type === 'positional') {
      const value = resolveInput(argument, argument.valueHint ?? 'argument', notes);
      return value ? [value] : [];
    }
    const name = demandVisible(argument.name ?? '');
    if (isBareFlag(argument)) return [[name]];
    const value = resolveInput(argument, name, notes);
    return value ? [[name], value] : [];
  });
}

export function isBareFlag({ value, default: proposed, description }: ServerArgument): boolean {
  return value === undefined && proposed === undefined && description === undefined;
}

/** Returns the environment variables that have a value or want one. */
export function toEnvironment({ environmentVariables = [] }: ServerPackage, notes: Notes): Launch['env'] {
  return environmentVariables.flatMap((variable) => {
    const { name } = variable;
    if (!ENVIRONMENT_NAME.test(name)) {
      throw new Omitted('fails-client-schema', 'an environment variable has a name that none can have');
    }
    const value = resolveInput(variable, name, notes);
    return value ? [{ name, value }] : [];
  });
}

/** Returns the text of an argument that holds nothing to be replaced. */
export function plainText(value: Value | undefined): string | undefined {
  return value && fixedText(value);
}
