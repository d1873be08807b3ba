import { isFields } from '#domain/fields.js';
import { PUBLISHER_PROVIDED } from '#domain/publisher-blocks.js';

/**
 * Converts a server.json of an earlier published schema (2025-07-09 or later) to the current one. Removes `null` where
 * it means that a field is absent, as registries generated from databases write it. Publisher data in `_meta` is not
 * changed.
 */

/** Fields that were spelled in snake case until 2025-09. */
const CAMEL_CASE: ReadonlyMap<string, string> = new Map(
  [
    'websiteUrl',
    'registryType',
    'registryBaseUrl',
    'fileSha256',
    'runtimeHint',
    'runtimeArguments',
    'packageArguments',
    'environmentVariables',
    'isRequired',
    'isSecret',
    'isRepeated',
    'valueHint',
    'mimeType',
  ].map((name) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), name]),
);

const SNAKE_CASE = new RegExp(`"(?:${[...CAMEL_CASE.keys()].join('|')})":`);

/**
 * Fields that may not be empty if present. A program that has no value for them may write an empty string, which is
 * treated as absent.
 */
const EMPTY_IS_ABSENT: ReadonlySet<string> = new Set([
  '$schema',
  'title',
  'websiteUrl',
  'registryBaseUrl',
  'runtimeHint',
  'fileSha256',
]);
const EMPTY = new RegExp(`"(?:${[...EMPTY_IS_ABSENT].join('|').replace('$', '\\$')})":""`);

/** Returns whether the text of a server.json may need normalization. A cheap check, because it runs for every entry. */
export function needsNormalizing(text: string): boolean {
  return text.includes(':null') || SNAKE_CASE.test(text) || EMPTY.test(text);
}

/**
 * A server.json in the form of the current schema, and the number of fields that were dropped because they were null.
 */
export interface NormalizedServer {
  readonly value: unknown;
  readonly nullsDropped: number;
}

/** Normalizes a server.json. Returns the value itself if there is nothing to change. */
export function normalizeServer(value: unknown): NormalizedServer {
  if (!isFields(value)) return { value, nullsDropped: 0 };
  const { packages } = value;
  // Before 2025-09-16, a package had no transport and was run over stdio.
  const isFormer = Array.isArray(packages) && packages.some((each) => isFields(each) && 'registry_type' in each);
  const changes = { nulls: 0, renamed: 0 };
  const server = normalize(value, changes) as Record<string, unknown>;
  // A server.json in other spellings no longer has the form that its schema describes.
  if (changes.renamed > 0) delete server['$schema'];
  const normalized = isFormer ? { ...server, packages: (server['packages'] as unknown[]).map(withTransport) } : server;
  const isSame = JSON.stringify(normalized) === JSON.stringify(value);
  return { value: isSame ? value : normalized, nullsDropped: changes.nulls };
}

function withTransport(each: unknown): unknown {
  return isFields(each) && !Object.hasOwn(each, 'transport') ? { ...each, transport: { type: 'stdio' } } : each;
}

/** Fields that contain other known fields. All other fields are left unchanged, including any `null` in them. */
const CONTAINERS = new Set([
  'repository',
  'icons',
  'packages',
  'remotes',
  'transport',
  'headers',
  'runtimeArguments',
  'packageArguments',
  'environmentVariables',
]);

/** Optional fields. */
const OPTIONAL = new Set([
  ...CONTAINERS,
  ...CAMEL_CASE.values(),

  '$schema',
  'title',
  'status',
  '_meta',
  'url',
  'source',
  'id',
  'subfolder',
  'sizes',
  'theme',
  'version',
  'variables',
  'description',
  'format',
  'value',
  'default',
  'placeholder',
  'choices',
  'name',
]);

interface Changes {
  nulls: number;
  renamed: number;
}

function normalize(value: unknown, changes: Changes): unknown {
  if (Array.isArray(value)) return value.map((item) => normalize(item, changes));
  if (!isFields(value)) return value;
  const members = Object.entries(value).flatMap(([given, member]): [string, unknown][] => {
    const spelled = CAMEL_CASE.get(given);
    const name = spelled !== undefined && !Object.hasOwn(value, spelled) ? spelled : given;
    if (name !== given) changes.renamed++;
    if (member === '' && EMPTY_IS_ABSENT.has(name)) return [];
    if (member === null && OPTIONAL.has(name)) {
      changes.nulls++;
      return [];
    }
    if (name === '_meta' && isFields(member)) return [[name, withoutNullBlock(member, changes)]];
    if (name === 'variables' && isFields(member)) return [[name, ofEach(member, changes)]];
    return [[name, CONTAINERS.has(name) ? normalize(member, changes) : member]];
  });
  return Object.fromEntries(members);
}

/** Returns the `_meta` without the block of the publisher if that is null. What a block contains is not changed. */
function withoutNullBlock(meta: Record<string, unknown>, changes: Changes): Record<string, unknown> {
  if (meta[PUBLISHER_PROVIDED] !== null) return meta;
  changes.nulls++;
  return Object.fromEntries(Object.entries(meta).filter(([name]) => name !== PUBLISHER_PROVIDED));
}

/** Normalizes each member of a map whose keys are chosen by the publisher. */
function ofEach(map: Record<string, unknown>, changes: Changes): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).map(([name, member]) => [name, normalize(member, changes)]));
}
