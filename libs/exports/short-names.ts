import { trimmedEnd } from '#domain/trimmed-end.js';

/** Returns the SHA-256 of a string in lowercase hexadecimal digits. */
export type Sha256 = (text: string) => string;

const MAX_LENGTH = 40;
const STEM_LENGTH = 33;
const FORGES: ReadonlySet<string> = new Set(['github', 'gitlab', 'bitbucket', 'codeberg']);
/** The namespace that our own reader puts in front of names that have none. */
const READER_NAMESPACE = 'io.github.stacklok';
const EMPTY_LEAVES: ReadonlySet<string> = new Set(['mcp', 'server', 'mcp-server', 'server-mcp', 'remote', 'api']);
/** Names that clients reserve for themselves. */
const RESERVED: ReadonlySet<string> = new Set([
  'workspace',
  'claude-in-chrome',
  'computer-use',
  'claude-preview',
  'claude-browser',
  'ide',
  'github-mcp-server',
  'server',
]);

/**
 * Returns the short name of each server name, which is its key in files whose keys must not contain a slash. The result
 * depends only on the set of names. If several names have the same short form, all of them get a hash suffix, so that a
 * later entry cannot take over a name. Names that are equal even with the suffix get no short name.
 */
export function shortNames(names: Iterable<string>, sha256: Sha256): ReadonlyMap<string, string> {
  const stems = Array.from(new Set(names), (name) => [name, stemOf(name)] as const);
  const groups = Map.groupBy(stems, ([, stem]) => stem);
  const withSuffix = ([name, stem]: readonly [string, string]): string => {
    const isAlone = groups.get(stem)?.length === 1 && !RESERVED.has(stem) && stem.length <= MAX_LENGTH;
    return isAlone ? stem : `${trimmedEnd(stem.slice(0, STEM_LENGTH), '-')}-${sha256(name).slice(0, 6)}`;
  };
  const short = stems.map((each) => [each[0], withSuffix(each)] as const);
  const counts = Map.groupBy(short, ([, result]) => result);
  return new Map(short.filter(([, result]) => counts.get(result)?.length === 1));
}

function stemOf(name: string): string {
  const slash = name.indexOf('/');
  const labels = labelsOf(name.slice(0, Math.max(slash, 0)).toLowerCase());
  const leaf = slug(name.slice(slash + 1));
  const [last] = labels.slice(-1);
  const parts = isRepeated(leaf, last) ? labels.slice(0, -1) : labels;
  const isEmptyLeaf = EMPTY_LEAVES.has(leaf) && labels.length > 0;
  const stem = [...(isEmptyLeaf ? labels : parts), ...(isEmptyLeaf ? [] : [leaf])].filter(Boolean).join('-');
  if (stem === '') return 'server';
  return stem.length < 3 ? `${stem}-mcp` : stem;
}

function isRepeated(leaf: string, label: string | undefined): boolean {
  return label !== undefined && (leaf === label || leaf.startsWith(`${label}-`));
}

function labelsOf(namespace: string): string[] {
  if (namespace === READER_NAMESPACE) return [];
  const labels = namespace.split('.').filter(Boolean);
  const [, ...below] = labels;
  const owned = labels.length >= 2 ? below : labels;
  const isForge = owned.length > 1 && FORGES.has(owned[0] as string);
  return (isForge ? owned.slice(1) : owned).map(slug).filter(Boolean);
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
