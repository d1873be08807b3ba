import type { ServerPackage, ServerRemote } from '#domain/server-document.js';
import { trimmedEnd } from '#domain/trimmed-end.js';
import type { EntryResult } from './entry-result.js';
import { DIALECTS } from './export-options.js';
import type { Dialect, ExportOptions } from './export-options.js';
import type { Value } from './inputs.js';
import { imageReference, imageTag, portableLaunch } from './launch/portable.js';
import { remoteUrl } from './remotes.js';
import type { VisibleEntry } from './visible-entry.js';
import { omittedWay, toEntryResult, waysOf } from './ways.js';
import type { Way } from './ways.js';
import { WayRules } from './way-rules.js';

/** The dialects of client files and of clients that build commands themselves. */
const CLIENT_DIALECTS: readonly Dialect[] = ['portable', 'vscode'];
const EVERY_PLATFORM = { platform: 'any', include: new Set<never>() } as const;
/** Placeholder for an input of the user; this character appears in no URL and in no argument. */
const INPUT = '\0';

/**
 * Finds the entries that are denied: those that share a name, a command or a URL with a denied entry. Otherwise any
 * source of a view could lift a denial by listing the same server under another name.
 *
 * It keeps only the names of the denied entries, and those commands and URLs that an entry to export has as well. The
 * memory is therefore limited by the entries to export.
 */
export class DeniedIdentities {
  /** The name of the first denied entry that has a key; undefined for a key that only entries to export have. */
  readonly #nameByKey = new Map<string, string | undefined>();
  readonly #names = new Set<string>();
  readonly #keysOf: IdentityKeys;

  constructor(
    denied: Iterable<VisibleEntry>,
    entries: readonly VisibleEntry[],
    { dialects }: Pick<ExportOptions, 'dialects'>,
  ) {
    // A command line of apm has no version, so it is compared with those of denied entries only if the file admits such
    // lines.
    this.#keysOf = new IdentityKeys([...CLIENT_DIALECTS, ...dialects]);
    for (const way of entries.flatMap(readableWays)) {
      for (const key of this.#keysOf.of(way)) this.#nameByKey.set(key, undefined);
    }
    const keys = new IdentityKeys(DIALECTS);
    for (const entry of denied) {
      const { name } = entry.server;
      this.#names.add(name);
      for (const way of readableWays(entry)) {
        for (const key of keys.of(way)) {
          if (this.#nameByKey.has(key)) this.#nameByKey.set(key, this.#nameByKey.get(key) ?? name);
        }
      }
    }
  }

  /**
   * Returns the result for a denied entry, or undefined if the entry is not denied. Entries other than those to export
   * are recognized only by their names.
   */
  find(entry: VisibleEntry): EntryResult | undefined {
    const ways = readableWays(entry);
    const twins = ways.map((way) => this.#twinsOf(way));
    const isNamed = this.#names.has(entry.server.name);
    if (!isNamed && twins.every(({ length }) => length === 0)) return undefined;
    const results = ways.map((way, index) => {
      const names = twins[index] as readonly string[];
      return { ...omittedWay(way, { reason: 'denied' }), ...(names.length > 0 && { names }) };
    });
    const detail = isNamed ? {} : { detail: `it has the same command or URL as ${twins.flat()[0]}` };
    return toEntryResult(entry, results, { reason: 'denied', ...detail });
  }

  #twinsOf(way: Way): readonly string[] {
    const names = this.#keysOf.of(way).flatMap((key) => this.#nameByKey.get(key) ?? []);
    return [...new Set(names)].toSorted();
  }
}

/**
 * Returns the packages and remotes of an entry; none if they cannot be read, because no format renders such an entry.
 */
function readableWays(entry: VisibleEntry): readonly Way[] {
  return orUndefined(() => waysOf(entry)) ?? [];
}

/**
 * Computes the keys by which packages and remotes are compared. Those that are started by the same command or reach the
 * same URL share a key.
 */
class IdentityKeys {
  readonly #rules: WayRules;

  constructor(dialects: Iterable<Dialect>) {
    this.#rules = new WayRules(new Set(dialects), (url) => url);
  }

  of(way: Way): readonly string[] {
    if (way.kind === 'remote') return [urlKey(way.remote)];
    const rules = orUndefined(() => this.#rules.of(way, EVERY_PLATFORM, new Set())) ?? [];
    return [packageKey(way.pack), ...rules.map(({ identity }) => identity)];
  }
}

/**
 * Returns the key of a remote's URL, in lower case and without slashes at the end of the path. Clients differ in
 * whether these count, and a denial must hold in all of them.
 */
function urlKey(remote: ServerRemote): string {
  const value = orUndefined(() => remoteUrl(remote, new Set()));
  const [address = '', ...query] = (value ? toText(value) : (remote.url ?? '')).toLowerCase().split('?');
  return `url\n${[trimmedEnd(address, '/'), ...query].join('?')}`;
}

/**
 * Returns the key of a package: its command, without the parts that change only how it is run, which are the
 * environment, the launcher and the spelling of the name.
 */
function packageKey(pack: ServerPackage): string {
  const launch = orUndefined(() => portableLaunch(canonicalPackage(pack), new Set()));
  if (launch) return `package\n${[launch.command, ...launch.args.map(toText)].join('\n')}`;
  const { registryType, identifier, version = '', fileSha256 } = pack;
  return `package\n${registryType}\n${fileSha256 ?? `${identifier}\n${version}`}`;
}

function canonicalPackage(pack: ServerPackage): ServerPackage {
  const { environmentVariables: _environment, runtimeHint: _hint, fileSha256: _hash, ...rest } = pack;
  const plain: ServerPackage = { ...rest, transport: { type: 'stdio' } };
  const { registryType, identifier, version } = plain;
  if (registryType === 'oci') return canonicalImage(plain);
  if (registryType === 'nuget') return { ...plain, identifier: identifier.toLowerCase() };
  // PEP 503, section Normalized Names.
  if (registryType === 'pypi') return { ...plain, identifier: identifier.toLowerCase().replace(/[-_.]+/g, '-') };
  return version === 'latest' ? { ...plain, version: undefined } : plain;
}

const DOCKER_HUB = /^(?:(?:index\.|registry-1\.)?docker\.io\/)?(?:library\/)?/;

/**
 * Returns an image package with the complete reference in `identifier`. A digest makes the tag irrelevant, and a
 * missing tag means `latest`.
 */
function canonicalImage(pack: ServerPackage): ServerPackage {
  const { version: _version, registryBaseUrl: _base, ...rest } = pack;
  const [image = '', digest] = imageReference(pack).split('@');
  const name = image.replace(DOCKER_HUB, '');
  const tag = imageTag(name);
  const untagged = tag === undefined ? name : name.slice(0, -tag.length - 1);
  return { ...rest, identifier: digest === undefined ? `${untagged}:${tag ?? 'latest'}` : `${untagged}@${digest}` };
}

function toText(value: Value): string {
  return value.map((part) => (typeof part === 'string' ? part : INPUT)).join('');
}

/** Returns undefined if `make` throws, whatever the error is: such a value has no identity to compare. */
function orUndefined<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
