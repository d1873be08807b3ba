import { newestOf } from './version-order.js';
import type { OrderedVersion } from './version-order.js';

/** The verdict on one version of a name in one source, or on the name in that source. */
export type Verdict = 'served' | 'shadowed' | 'hidden' | 'quarantined' | 'deleted' | 'absent';

/** A stored version of a name. */
export interface ExplainedEntry extends OrderedVersion {
  readonly source: string;
  /** Hash of the bytes in the source, in hexadecimal. */
  readonly hash: string;
  /** The filter rule that hides it. */
  readonly hiddenBy: string | null;
  readonly deletedAt: Date | null;
}

/** An entry that cannot be served, as far as its name could be read. */
export interface ExplainedFault {
  readonly source: string;
  readonly version: string | null;
  readonly path: string;
  readonly message: string;
}

export interface VersionVerdict {
  readonly version: string;
  readonly verdict: Verdict;
  /** The filter rule, or the source that takes precedence for this name. */
  readonly by?: string;
  /** Time at which the version was deleted. */
  readonly until?: Date;
  readonly path?: string;
  readonly message?: string;
  readonly hash?: string;
}

export interface SourceVerdict {
  readonly source: string;
  readonly verdict: Verdict;
  readonly by?: string;
  readonly versions: readonly VersionVerdict[];
}

/** Verdicts by precedence: a source gets the first of these that any of its versions has. */
const IN_ORDER: readonly Verdict[] = ['served', 'shadowed', 'hidden', 'quarantined', 'deleted'];

export interface Explanation {
  /** What is served under the name; null if nothing is. */
  readonly served: { readonly source: string; readonly latest: string; readonly versions: number } | null;
  readonly sources: readonly SourceVerdict[];
}

/** Returns the verdict on a name in each source. `sources` are in order of precedence. */
export function explainName(
  sources: readonly string[],
  entries: readonly ExplainedEntry[],
  faults: readonly ExplainedFault[],
): Explanation {
  const bySource = Map.groupBy(entries, ({ source }) => source);
  const faultsBySource = Map.groupBy(faults, ({ source }) => source);
  const winner = sources.find((source) => bySource.get(source)?.some(isServable));
  const explained = sources.map((source): SourceVerdict => {
    const versions = [
      ...(bySource.get(source) ?? []).map((entry) => judge(entry, winner)),
      ...(faultsBySource.get(source) ?? []).map(toFaultVerdict),
    ];
    const verdict = IN_ORDER.find((each) => versions.some((version) => version.verdict === each)) ?? 'absent';
    const by = versions.find((version) => version.verdict === verdict)?.by;
    return { source, verdict, ...(by !== undefined && { by }), versions };
  });
  const servable = entries.filter((entry) => entry.source === winner && isServable(entry));
  const latest = newestOf(servable)?.version;
  const isServed = winner !== undefined && latest !== undefined;
  return { served: isServed ? { source: winner, latest, versions: servable.length } : null, sources: explained };
}

function isServable({ hiddenBy, deletedAt }: ExplainedEntry): boolean {
  return hiddenBy === null && deletedAt === null;
}

function judge(
  { source, version, hash, hiddenBy, deletedAt }: ExplainedEntry,
  winner: string | undefined,
): VersionVerdict {
  if (deletedAt) return { version, verdict: 'deleted', until: deletedAt, hash };
  if (hiddenBy !== null) return { version, verdict: 'hidden', by: hiddenBy, hash };
  if (source === winner || winner === undefined) return { version, verdict: 'served', hash };
  return { version, verdict: 'shadowed', by: winner, hash };
}

function toFaultVerdict({ version, path, message }: ExplainedFault): VersionVerdict {
  return { version: version ?? '', verdict: 'quarantined', ...(path !== '' && { path }), message };
}
