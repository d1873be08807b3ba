import semver from 'semver';
import { compareCodePoints } from './code-point-order.js';

/** A `v` in front, missing minor and patch, leading zeros: all tolerated, as registries in use tolerate them. */
const LENIENT = /^v?0*(\d+)(?:\.0*(\d+))?(?:\.0*(\d+))?(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;

/**
 * Negative when `a` is the older one. By semantic precedence (semver.org, section 11: pre-releases count, build metadata
 * does not) when both are semantic versions, otherwise as text.
 */
export function compareVersions(a: string, b: string): number {
  const left = parse(a);
  const right = left && parse(b);
  return left && right ? left.compare(right) : compareCodePoints(a, b);
}

/**
 * The newest of the candidates; the first of them on a tie. Semantic versions and other texts side by side have no
 * consistent order, so equal answers need candidates in equal order.
 */
export function newestOf<T extends { readonly version: string }>(candidates: readonly T[]): T | undefined {
  return candidates.reduce<T | undefined>(
    (newest, candidate) => (newest && compareVersions(candidate.version, newest.version) <= 0 ? newest : candidate),
    undefined,
  );
}

const parsed = new Map<string, semver.SemVer | undefined>();
/** Most catalogues use few different versions, and parsing one takes longer than all else that is done to order it. */
const KNOWN_VERSIONS = 4096;

function parse(version: string): semver.SemVer | undefined {
  if (parsed.has(version)) return parsed.get(version);
  const [, major, minor = '0', patch = '0', preRelease = ''] = LENIENT.exec(version) ?? [];
  const semantic = semver.parse(`${major}.${minor}.${patch}${preRelease}`, { loose: true }) ?? undefined;
  if (parsed.size === KNOWN_VERSIONS) parsed.clear();
  parsed.set(version, semantic);
  return semantic;
}
