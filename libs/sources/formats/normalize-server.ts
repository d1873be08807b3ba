import { isFields } from '#domain/fields.js';
/**
 * Brings a server.json of an earlier published schema (2025-07-09 on) into the form of the present one, and drops `null` where it stands
 * for absence, as registries made from databases write it. Publisher data in `_meta` stays as it is.
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

/** Whether the text of a server.json may have something to normalise; cheap, since every entry is asked. */
export function needsNormalizing(text: string): boolean {
  return text.includes(':null') || SNAKE_CASE.test(text);
}

/** Returns the normalised server.json; the value itself when nothing is to be changed. */
export function normalizeServer(value: unknown): unknown {
  if (!isFields(value)) return value;
  const { packages } = value;
  // Before 2025-09-16 a package had no transport: it spoke stdio.
  const isFormer = Array.isArray(packages) && packages.some((each) => isFields(each) && 'registry_type' in each);
  const server = normalize(value) as Record<string, unknown>;
  const normalized = isFormer ? { ...server, packages: (server['packages'] as unknown[]).map(withTransport) } : server;
  return JSON.stringify(normalized) === JSON.stringify(value) ? value : normalized;
}

function withTransport(each: unknown): unknown {
  return isFields(each) && !Object.hasOwn(each, 'transport') ? { ...each, transport: { type: 'stdio' } } : each;
}

/** Fields that hold other known fields. Everything else stays as it is, `null` in it included. */
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

/** Fields that may be absent. */
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

function normalize(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalize);
  if (!isFields(value)) return value;
  const members = Object.entries(value).flatMap(([given, member]): [string, unknown][] => {
    const spelled = CAMEL_CASE.get(given);
    const name = spelled !== undefined && !Object.hasOwn(value, spelled) ? spelled : given;
    if (member === null && OPTIONAL.has(name)) return [];
    if (name === 'variables' && isFields(member)) return [[name, ofEach(member)]];
    return [[name, CONTAINERS.has(name) ? normalize(member) : member]];
  });
  return Object.fromEntries(members);
}

/** A map whose keys are names of the publisher's own. */
function ofEach(map: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).map(([name, member]) => [name, normalize(member)]));
}
