import type { ServerPackage } from '#domain/server-document.js';
import type { Notes, Value } from '../inputs.js';
import { Omitted } from '../omission.js';
import { demandLaunchable, plainText, privateBase, toArguments, toEnvironment } from './launch.js';
import type { Launch } from './launch.js';

interface Parts {
  readonly runtime: readonly Value[];
  readonly arguments: readonly Value[];
  readonly env: Launch['env'];
  readonly base: string | undefined;
  /** The package with its version. */
  readonly reference: string;
}

const text = (...words: readonly string[]): Value[] => words.map((word) => [word]);

/** The command of each type of package in our own client files. */
const COMMANDS: Readonly<Record<string, (parts: Parts, pack: ServerPackage) => Omit<Launch, 'env'>>> = {
  npm: ({ runtime, arguments: rest, base, reference }) => ({
    command: 'npx',
    args: [
      ...(holdsAny(runtime, ['-y', '--yes']) ? [] : text('-y')),
      ...(base === undefined ? [] : text(`--registry=${base}`)),
      ...runtime,
      ...text(reference),
      ...rest,
    ],
  }),
  pypi: ({ runtime, arguments: rest, base, reference }) => ({
    command: 'uvx',
    args: [...(base === undefined ? [] : text(`--default-index=${base}`)), ...runtime, ...text(reference), ...rest],
  }),
  nuget: ({ runtime, arguments: rest, base, reference }) => {
    if (base !== undefined) throw new Omitted('private-feed');
    const confirmed = holdsAny([...runtime], ['--yes']) ? [] : text('--yes');
    return {
      command: 'dnx',
      args: [...runtime, ...text(reference), ...confirmed, ...(rest.length > 0 ? [...text('--'), ...rest] : [])],
    };
  },
  oci: (parts, { runtimeHint }) => ({
    command: runtimeHint === 'podman' ? 'podman' : 'docker',
    args: containerArguments(parts),
  }),
};

const LAUNCHERS: Readonly<Record<string, string>> = { npm: 'npx', pypi: 'uvx', nuget: 'dnx', oci: 'docker' };

/** Returns the command that our own client files hold for a package; the same whatever a format does with inputs. */
export function portableLaunch(pack: ServerPackage, notes: Notes): Launch {
  demandLaunchable(pack);
  heedRuntimeHint(pack, notes);
  if (pack.fileSha256 !== undefined) notes.add('integrity-not-expressible');
  if (!isPinned(pack)) notes.add('unpinned');
  const parts = {
    runtime: toArguments(pack.runtimeArguments, notes),
    arguments: toArguments(pack.packageArguments, notes),
    env: toEnvironment(pack, notes),
    base: privateBase(pack),
    reference: referenceOf(pack),
  };
  const command = COMMANDS[pack.registryType] as (typeof COMMANDS)[string];
  return { ...command(parts, pack), env: parts.env };
}

function heedRuntimeHint({ registryType, runtimeHint, runtimeArguments = [] }: ServerPackage, notes: Notes): void {
  if (runtimeHint === undefined || runtimeHint === LAUNCHERS[registryType]) return;
  if (registryType === 'oci' && runtimeHint === 'podman') return;
  if (runtimeArguments.length > 0) throw new Omitted('runtime-hint');
  notes.add('runtime-hint-ignored');
}

/** One exact version in the grammar of a registry: ranges, wildcards and tags, which may mean another package tomorrow, are none. */
const EXACT_VERSIONS: Readonly<Record<string, RegExp>> = {
  // Semantic Versioning 2.0.0: npm takes fewer than three numbers for a range.
  npm: /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/,
  // PEP 440, in its normal form and with the separators that it allows.
  pypi: /^v?(?:\d+!)?\d+(?:\.\d+)*(?:[-_.]?(?:a|b|c|rc|alpha|beta|pre|preview)[-_.]?\d*)?(?:-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?(?:[-_.]?dev[-_.]?\d*)?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?$/i,
  // NuGet: two to four numbers.
  nuget: /^\d+(?:\.\d+){1,3}(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/,
};
const MAX_VERSION = 255;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Returns whether a package always means the same bytes, as far as its words say: an image has its digest, another package an exact version. */
export function isPinned(pack: ServerPackage): boolean {
  const { registryType, version = '' } = pack;
  if (registryType === 'oci') return DIGEST.test(imageDigest(pack) ?? '');
  if (registryType === 'mcpb') return pack.fileSha256 !== undefined;
  return version.length <= MAX_VERSION && (EXACT_VERSIONS[registryType]?.test(version) ?? false);
}

/** The tag of an image; a port is none. */
export function imageTag(identifier: string): string | undefined {
  return /:([^:/@]+)$/.exec(identifier.split('@')[0]?.split('/').at(-1) ?? '')?.[1];
}

export function imageDigest({ registryType, identifier }: ServerPackage): string | undefined {
  return registryType === 'oci' ? identifier.split('@')[1] : undefined;
}

function referenceOf(pack: ServerPackage): string {
  const { registryType, identifier, version } = pack;
  if (registryType === 'oci') return imageReference(pack);
  if (version === undefined) return identifier;
  return `${identifier}${registryType === 'pypi' ? '==' : '@'}${version}`;
}

/** Returns the image as a container engine pulls it. */
export function imageReference(pack: ServerPackage): string {
  const { identifier, version } = pack;
  const isFixed = imageTag(identifier) !== undefined || imageDigest(pack) !== undefined;
  const base = privateBase(pack);
  const isHosted = /[.:]|^localhost$/.test(identifier.split('/')[0] ?? '') && identifier.includes('/');
  const host = base === undefined || isHosted ? '' : `${base.replace(/^https?:\/\//, '')}/`;
  return `${host}${identifier}${isFixed || version === undefined ? '' : `:${version}`}`;
}

function containerArguments({ runtime, arguments: rest, env, reference }: Parts): Value[] {
  const isWhole = plainText(runtime[0]) === 'run';
  const named = env
    .filter(({ name }) => !runtime.some((value) => isNaming(plainText(value), name)))
    .flatMap(({ name }) => text('-e', name));
  if (!isWhole) return [...text('run', '-i', '--rm'), ...runtime, ...named, ...text(reference), ...rest];
  const interactive = holdsAny(runtime, ['-i', '--interactive', '-it']) ? [] : text('-i');
  const image = holdsAny(runtime, [reference]) ? [] : text(reference);
  return [...text('run'), ...interactive, ...runtime.slice(1), ...named, ...image, ...rest];
}

function isNaming(argument: string | undefined, name: string): boolean {
  return argument !== undefined && (argument === name || argument.startsWith(`${name}=`) || argument === `-e${name}`);
}

function holdsAny(values: readonly Value[], words: readonly string[]): boolean {
  return values.some((value) => words.includes(plainText(value) ?? ''));
}
