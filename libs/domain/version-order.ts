import { compareCodePoints } from './code-point-order.js';

/** A version of one server, with what decides between versions that their texts do not order. */
export interface OrderedVersion {
  readonly version: string;
  /** The registry that it comes from says that it is the latest. */
  readonly isMarkedLatest: boolean;
  readonly publishedAtMs: number;
  /** Where it stood in what was published at that time. */
  readonly position: number;
}

/**
 * A total order of the versions of one server; negative when `a` is the older one. In turn decide: the mark of the registry
 * that they come from; semantic versions above all others; precedence of semantic versions; time of publication; position in
 * the file; the texts. It is the only order of versions: for the latest one, for lists of versions and for aggregates.
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

/** Returns the newest of the candidates, whatever their order; undefined for none. */
export function newestOf<T extends OrderedVersion>(candidates: readonly T[]): T | undefined {
  return candidates.reduce<T | undefined>(
    (newest, candidate) => (newest && compareVersions(candidate, newest) <= 0 ? newest : candidate),
    undefined,
  );
}

/** Compares by semantic precedence; 0 for equal precedence and for two texts that are no semantic versions. */
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

/** Numbers are texts of digits without leading zeros, since they may be larger than any number of JavaScript. */
interface SemanticVersion {
  readonly release: readonly string[];
  /** Development releases come before pre-releases, and those before the release itself. */
  readonly phase: 0 | 1 | 2;
  readonly preRelease: readonly string[];
  /** Number of a post-release plus one; 0 for none. */
  readonly post: string;
  /** 0 for a development release of a pre-release or post-release, 1 for the finished one. */
  readonly isFinished: 0 | 1;
  readonly dev: string;
}

/** A `v` in front, missing or further parts, leading zeros: all tolerated, as registries in use tolerate them. */
const RELEASE = /^[vV]?(\d+(?:\.\d+)*)/;
/** Semantic Versioning 2.0.0, section 9. */
const SEMANTIC_PRE_RELEASE = /^-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)$/;
/** PEP 440: pre-release, post-release and development release, each with an optional separator. */
const PYTHON_SUFFIX =
  /^(?:[._]?(a|b|c|rc|alpha|beta|pre|preview)[._-]?(\d*))?(?:[._-]?(?:post|rev|r)[._-]?(\d*))?(?:[._]?(dev)[._-]?(\d*))?$/i;
const PYTHON_PHASES: ReadonlyMap<string, string> = new Map([
  ['alpha', 'a'],
  ['beta', 'b'],
  ['c', 'rc'],
  ['pre', 'rc'],
  ['preview', 'rc'],
]);
/** Build metadata, which has no precedence. */
const BUILD = /\+[0-9A-Za-z.-]+$/;

/** Most catalogues have few different versions, and parsing one takes longer than everything else that orders it. */
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
  // Missing parts are zeros.
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

/** Strips leading zeros; nothing stands for 0. */
function toNumber(digits = ''): string {
  return digits.replace(/^0+/, '') || '0';
}

function compareNumbers(a: string, b: string): number {
  return a.length - b.length || compareTexts(a, b);
}

/** Semantic Versioning 2.0.0, section 11: numbers by value and below texts. */
function compareIdentifiers(a: string, b: string): number {
  const [isLeft, isRight] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isLeft && isRight) return compareNumbers(toNumber(a), toNumber(b));
  return Number(isRight) - Number(isLeft) || compareTexts(a, b);
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Compares item by item; of two lists that begin alike the shorter one is lower. */
function compareLists(a: readonly string[], b: readonly string[], compare: (a: string, b: string) => number): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const order = compare(a[at] as string, b[at] as string);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
