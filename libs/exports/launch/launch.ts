import type { ServerArgument, ServerPackage } from '#domain/server-document.js';
import { demandVisible } from '../characters.js';
import { fixedText, resolveInput } from '../inputs.js';
import type { Notes, Value } from '../inputs.js';
import { Omitted } from '../omission.js';
import { trimmedEnd } from '#domain/trimmed-end.js';

/** A command that starts a package, with its values resolved. */
export interface Launch {
  readonly command: string;
  readonly args: readonly Value[];
  readonly env: readonly { readonly name: string; readonly value: Value }[];
}

const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Identifiers that launchers interpret as a package in a registry, by type. The patterns exclude options, paths, URLs
 * and repositories.
 */
const IDENTIFIERS: ReadonlyMap<string, RegExp> = new Map([
  ['npm', /^(@[A-Za-z0-9_][\w.-]*\/)?[A-Za-z0-9_][\w.-]*$/],
  ['pypi', /^[A-Za-z0-9]([\w.-]*[A-Za-z0-9])?(\[[\w.,-]+\])?$/],
  ['nuget', /^[A-Za-z0-9_][\w.-]*$/],
  [
    'oci',
    /^[A-Za-z0-9][A-Za-z0-9.-]*(:\d{1,5}(?=\/))?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/,
  ],
]);
const VERSION = /^[^\s@=/:\\-][^\s@=/:\\]*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const MAX_IDENTIFIER = 1024;

/** The public base URLs that server.json defines for each type. Launchers use them by default. */
const PUBLIC_BASES: ReadonlyMap<string, readonly string[]> = new Map([
  ['npm', ['https://registry.npmjs.org']],
  ['pypi', ['https://pypi.org']],
  ['nuget', ['https://api.nuget.org', 'https://api.nuget.org/v3/index.json']],
  ['oci', ['https://docker.io']],
]);

/**
 * Throws `Omitted` for a package that no launcher starts, or whose identifier or version a launcher would misinterpret.
 */
export function demandLaunchable({ registryType, identifier, version, transport }: ServerPackage): void {
  if (registryType === 'mcpb') throw new Omitted('bundle');
  const pattern = IDENTIFIERS.get(registryType);
  if (!pattern) throw new Omitted('no-launcher', `packages of type ${registryType.slice(0, 40)}`);
  if (transport.type !== 'stdio') throw new Omitted('local-http');
  demandVisible(identifier);
  if (identifier.length > MAX_IDENTIFIER || !pattern.test(identifier)) {
    throw new Omitted(
      'fails-client-schema',
      'the identifier is not a valid package name of its registry',
      '/identifier',
    );
  }
  const isVersion = registryType === 'oci' ? TAG : VERSION;
  if (version !== undefined && !isVersion.test(demandVisible(version))) {
    throw new Omitted('fails-client-schema', 'the version is not one that a launcher accepts', '/version');
  }
}

/** Returns the base URL of the package's registry, or undefined if that is the public registry of its type. */
export function privateBase({ registryType, registryBaseUrl }: ServerPackage): string | undefined {
  if (registryBaseUrl === undefined) return undefined;
  const base = trimmedEnd(demandVisible(registryBaseUrl), '/');
  if (PUBLIC_BASES.get(registryType)?.includes(base)) return undefined;
  if (!URL.canParse(base) || !/^https?:$/.test(new URL(base).protocol) || /\s/.test(base)) {
    throw new Omitted('fails-client-schema', 'the base URL of the registry is not a valid URL', '/registryBaseUrl');
  }
  const { username, password } = new URL(base);
  if (username !== '' || password !== '') throw new Omitted('credentials-in-url');
  return base;
}

/**
 * Returns the arguments as values. A named argument becomes two values, and an optional argument without a value is
 * left out.
 */
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

/** Returns the environment variables that have a value or that the user has to set. */
export function toEnvironment({ environmentVariables = [] }: ServerPackage, notes: Notes): Launch['env'] {
  return environmentVariables.flatMap((variable) => {
    const { name } = variable;
    if (!ENVIRONMENT_NAME.test(name)) {
      throw new Omitted('fails-client-schema', 'an environment variable has an invalid name');
    }
    const value = resolveInput(variable, name, notes);
    return value ? [{ name, value }] : [];
  });
}

/** Returns an argument as a string, or undefined if it contains an input without a default. */
export function plainText(value: Value | undefined): string | undefined {
  return value && fixedText(value);
}
