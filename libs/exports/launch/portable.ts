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
  /** The package identifier with its version. */
  readonly reference: string;
}

const text = (...words: readonly string[]): Value[] => words.map((word) => [word]);

type Command = (parts: Parts, pack: ServerPackage) => Omit<Launch, 'env'>;

/** Builders of the command in our own client files, by type of package. */
const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries<Command>({
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
  }),
);

const LAUNCHERS: ReadonlyMap<string, string> = new Map([
  ['npm', 'npx'],
  ['pypi', 'uvx'],
  ['nuget', 'dnx'],
  ['oci', 'docker'],
]);

/**
 * Returns the command that our own client files contain for a package. It does not depend on how a format handles
 * inputs.
 */
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
  const command = COMMANDS.get(pack.registryType) as Command;
  return { ...command(parts, pack), env: parts.env };
}

function heedRuntimeHint({ registryType, runtimeHint, runtimeArguments = [] }: ServerPackage, notes: Notes): void {
  if (runtimeHint === undefined || runtimeHint === LAUNCHERS.get(registryType)) return;
  if (registryType === 'oci' && runtimeHint === 'podman') return;
  if (runtimeArguments.length > 0) throw new Omitted('runtime-hint');
  notes.add('runtime-hint-ignored');
}

/**
 * Patterns of exact versions, by type of package. Ranges, wildcards and tags do not match, because they may select
 * another package tomorrow.
 */
const EXACT_VERSIONS: ReadonlyMap<string, RegExp> = new Map(
  Object.entries({
    // Semantic Versioning 2.0.0. All three numbers are required, because npm interprets fewer numbers as a range.
    npm: /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/,
    // PEP 440, in its normal form and with the alternative separators that it allows.
    pypi: /^v?(?:\d+!)?\d+(?:\.\d+)*(?:[-_.]?(?:a|b|c|rc|alpha|beta|pre|preview)[-_.]?\d*)?(?:-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?(?:[-_.]?dev[-_.]?\d*)?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?$/i,
    // NuGet: two to four numbers.
    nuget: /^\d+(?:\.\d+){1,3}(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/,
  }),
);
const MAX_VERSION = 255;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Arguments with which a launcher still starts the given package, and no other. */
const RUNTIME_FLAGS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['npm', new Set(['-y', '--yes', '-q', '--quiet'])],
  ['pypi', new Set(['-q', '--quiet'])],
  ['nuget', new Set(['-y', '--yes'])],
  ['oci', new Set(['-i', '--interactive', '-t', '--tty', '-it', '--rm', '--init', '--read-only'])],
]);

/** Options of container engines that take a value, so the value is not mistaken for the image. */
const CONTAINER_OPTIONS: ReadonlySet<string> = new Set(
  '-e --env -v --volume --mount --network --name -p --publish -u --user -w --workdir -m --memory --cpus'.split(' '),
);

/**
 * Returns whether the package alone decides what is started. Other runtime arguments could make the launcher start
 * another package.
 */
function startsPackageOnly({ registryType, runtimeArguments = [] }: ServerPackage): boolean {
  const flags = RUNTIME_FLAGS.get(registryType);
  const isContainer = registryType === 'oci';
  return runtimeArguments.every(({ type, name = '', value = '', ...input }, index) => {
    if (type === 'named' && isContainer && CONTAINER_OPTIONS.has(name)) return true;
    const hasChoice = [input.default, input.choices, input.variables, input.valueHint].some(
      (each) => each !== undefined,
    );
    if (type === 'named') return value === '' && !hasChoice && flags?.has(name) === true;
    return flags?.has(value) === true || (isContainer && index === 0 && value === 'run');
  });
}

/**
 * Returns whether a package always refers to the same bytes, as far as its definition shows. An image needs a digest,
 * and any other package needs an exact version or a file hash. The runtime arguments must not select another package.
 */
export function isPinned(pack: ServerPackage): boolean {
  const { registryType, version = '' } = pack;
  if (!startsPackageOnly(pack)) return false;
  if (registryType === 'oci') return DIGEST.test(imageDigest(pack) ?? '');
  if (registryType === 'mcpb') return pack.fileSha256 !== undefined;
  return version.length <= MAX_VERSION && (EXACT_VERSIONS.get(registryType)?.test(version) ?? false);
}

/** Returns the tag of an image. A port is not mistaken for a tag. */
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

/** Returns the image reference that a container engine pulls. */
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
