import { compareCodePoints } from './code-point-order.js';

/** A version of one server, with the criteria that order versions when their strings do not. */
export interface OrderedVersion {
  readonly version: string;
  /** Whether the registry that it comes from marks it as the latest. */
  readonly isMarkedLatest: boolean;
  readonly publishedAtMs: number;
  /** Its position in the published content at that time. */
  readonly position: number;
}

/**
 * Compares two versions of a server in a total order; negative if `a` is the older one. The criteria, in this order:
 * the mark of the registry that they come from; semantic versions above all others; precedence of semantic versions;
 * time of publication; position in the file; the strings. This is the only order of versions: for the latest one, for
 * lists of versions and for aggregates.
 */
export function compareVersions(a: OrderedVersion, b: OrderedVersion): number {
  return (
    Number(a.isMarkedLatest) - Number(b.isMarkedLatest) ||
    comparePrecedence(a.version, b.version) ||
    a.publishedAtMs - b.publishedAtMs ||
    a.position - b.position ||
    compareCodePoints(a.version, b.version)
  );
}

/** Returns the newest of the candidates, in whatever order they are; undefined if there are none. */
export function newestOf<T extends OrderedVersion>(candidates: readonly T[]): T | undefined {
  return candidates.reduce<T | undefined>(
    (newest, candidate) => (newest && compareVersions(candidate, newest) <= 0 ? newest : candidate),
    undefined,
  );
}

/** Compares by semantic precedence; 0 for equal precedence, and for two strings that are not semantic versions. */
export function comparePrecedence(a: string, b: string): number {
  const left = parse(a);
  const right = parse(b);
  if (!left || !right) return Number(left !== undefined) - Number(right !== undefined);
  return (
    compareLists(left.release, right.release, compareNumbers) ||
    left.phase - right.phase ||
    compareLists(left.preRelease, right.preRelease, compareIdentifiers) ||
    compareNumbers(left.post, right.post) ||
    left.isFinished - right.isFinished ||
    compareNumbers(left.dev, right.dev)
  );
}

/**
 * A parsed version. Numbers are strings of digits without leading zeros, because they may exceed the numbers of
 * JavaScript.
 */
interface SemanticVersion {
  readonly release: readonly string[];
  /** 0 for a development release of the release itself, 1 for a pre-release, 2 for a release or post-release. */
  readonly phase: 0 | 1 | 2;
  readonly preRelease: readonly string[];
  /** Number of a post-release plus one; 0 for any other version. */
  readonly post: string;
  /** 0 for a development release of a pre-release or post-release, 1 for a finished one. */
  readonly isFinished: 0 | 1;
  readonly dev: string;
}

/**
 * Release numbers. Tolerates a leading `v`, missing or additional parts, and leading zeros, because existing registries
 * do.
 */
const RELEASE = /^[vV]?(\d+(?:\.\d+)*)/;
/** Pre-release according to Semantic Versioning 2.0.0, section 9. */
const SEMANTIC_PRE_RELEASE = /^-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)$/;
/** Suffix according to PEP 440: pre-release, post-release and development release, each with an optional separator. */
const PYTHON_SUFFIX =
  /^(?:[._]?(a|b|c|rc|alpha|beta|pre|preview)[._-]?(\d*))?(?:[._-]?(?:post|rev|r)[._-]?(\d*))?(?:[._]?(dev)[._-]?(\d*))?$/i;
const PYTHON_PHASES: ReadonlyMap<string, string> = new Map([
  ['alpha', 'a'],
  ['beta', 'b'],
  ['c', 'rc'],
  ['pre', 'rc'],
  ['preview', 'rc'],
]);
/** Build metadata, which does not affect precedence. */
const BUILD = /\+[0-9A-Za-z.-]+$/;

/**
 * Maximum number of cached versions. Most catalogues have few different versions, and parsing one takes longer than the
 * rest of a comparison.
 */
const KNOWN_VERSIONS = 4096;
const parsed = new Map<string, SemanticVersion | undefined>();

function parse(version: string): SemanticVersion | undefined {
  if (parsed.has(version)) return parsed.get(version);
  const semantic = parseAfresh(version);
  if (parsed.size === KNOWN_VERSIONS) parsed.clear();
  parsed.set(version, semantic);
  return semantic;
}

function parseAfresh(version: string): SemanticVersion | undefined {
  const text = version.replace(BUILD, '');
  const [head = '', parts] = RELEASE.exec(text) ?? [];
  if (parts === undefined) return undefined;
  const release = parts.split('.').map(toNumber);
  // Missing parts count as zeros.
  while (release.length > 1 && release.at(-1) === '0') release.pop();
  const suffix = text.slice(head.length);
  const finished = { release, post: '0', isFinished: 1, dev: '0' } as const;
  if (suffix === '') return { ...finished, phase: 2, preRelease: [] };
  const semantic = SEMANTIC_PRE_RELEASE.exec(suffix)?.[1];
  if (semantic !== undefined) return { ...finished, phase: 1, preRelease: semantic.split('.') };
  return parsePython(release, suffix);
}

function parsePython(release: readonly string[], suffix: string): SemanticVersion | undefined {
  const match = PYTHON_SUFFIX.exec(suffix);
  if (!match) return undefined;
  const [, letter, pre, post, dev, devNumber] = match;
  const name = letter?.toLowerCase();
  const isBareDevelopment = name === undefined && post === undefined && dev !== undefined;
  return {
    release,
    phase: isBareDevelopment ? 0 : name === undefined ? 2 : 1,
    preRelease: name === undefined ? [] : [PYTHON_PHASES.get(name) ?? name, toNumber(pre)],
    post: post === undefined ? '0' : String(BigInt(toNumber(post)) + 1n),
    isFinished: dev === undefined ? 1 : 0,
    dev: toNumber(devNumber),
  };
}

/** Strips leading zeros; an empty string becomes 0. */
function toNumber(digits = ''): string {
  return digits.replace(/^0+/, '') || '0';
}

function compareNumbers(a: string, b: string): number {
  return a.length - b.length || compareTexts(a, b);
}

/**
 * Compares pre-release identifiers (Semantic Versioning 2.0.0, section 11): numbers by value, and below other
 * identifiers.
 */
function compareIdentifiers(a: string, b: string): number {
  const [isLeft, isRight] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isLeft && isRight) return compareNumbers(toNumber(a), toNumber(b));
  return Number(isRight) - Number(isLeft) || compareTexts(a, b);
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Compares two lists item by item. If one is a prefix of the other, the shorter one is lower. */
function compareLists(a: readonly string[], b: readonly string[], compare: (a: string, b: string) => number): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const order = compare(a[at] as string, b[at] as string);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
