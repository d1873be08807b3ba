import type { Reason } from './reasons.js';
import type {
  Condition,
  RegistryPhase,
  RegistryStatus,
  SourceStatus,
  SyncPhase,
  SyncStatus,
} from './registry-status.js';

/** What is known of one source; times in milliseconds since 1970. */
export interface SourceFacts {
  readonly name: string;
  readonly running?: { readonly sinceMs: number; readonly manual: boolean };
  readonly lastAttemptAtMs?: number;
  readonly attemptCount: number;
  readonly lastSyncAtMs?: number;
  readonly lastSyncHash?: string;
  readonly revision?: string;
  readonly serverCount?: number;
  readonly quarantined?: number;
  /** The first of these. */
  readonly quarantinedEntries?: readonly string[];
  /** Of the filter that what is stored is marked by. */
  readonly filterHash?: string;
  readonly warning?: string;
  /** Of the last attempt. */
  readonly failure?: { readonly reason: Reason; readonly message: string };
  readonly nextSyncAtMs?: number;
}

/** All that decides a status. */
export interface RegistryFacts {
  readonly generation: number;
  readonly deleting: boolean;
  /** Set when the spec cannot be followed. */
  readonly invalid?: string;
  /** Whether anything is there that can store and serve. */
  readonly serving: boolean;
  readonly handledTrigger?: string;
  readonly sources: readonly SourceFacts[];
}

/** Objects that may still be created: what waits for one is pending, not failed. */
const AWAITED: readonly Reason[] = ['ConfigMapNotFound', 'KeyNotFound', 'PVCNotFound', 'SecretNotFound'];
const INVALID_DATA: readonly Reason[] = ['InvalidData', 'FormatMismatch'];
const UNAVAILABLE: readonly Reason[] = [
  ...AWAITED,
  'Unreachable',
  'AuthFailed',
  'RepositoryNotFound',
  'RefNotFound',
  'FileNotFound',
  'FetchFailed',
];

/** What a status needs beside the facts. */
export interface StatusSurroundings {
  /** Lends the times at which conditions last changed. */
  readonly previous: RegistryStatus | undefined;
  readonly nowMs: number;
  /** SHA-256 as lower-case hex; handed in because this module is pure. */
  digest(text: string): string;
}

/** The status that these facts amount to. */
export function toStatus(facts: RegistryFacts, { previous, nowMs, digest }: StatusSurroundings): RegistryStatus {
  const { phase, message } = toPhase(facts);
  const conditions = toConditions(facts, message).map((condition): Condition => {
    const before = previous?.conditions.find(({ type }) => type === condition.type);
    const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : rfc3339(nowMs);
    return { ...condition, observedGeneration: facts.generation, lastTransitionTime };
  });
  return {
    phase,
    message,
    observedGeneration: facts.generation,
    ...(facts.sources.length > 0 ? { syncStatus: toSyncStatus(facts.sources, digest) } : {}),
    ...appliedFilters(facts.sources, digest),
    ...(facts.handledTrigger === undefined ? {} : { lastManualSyncTrigger: facts.handledTrigger }),
    conditions,
  };
}

function toPhase(facts: RegistryFacts): { phase: RegistryPhase; message: string } {
  if (facts.deleting) return { phase: 'Terminating', message: 'The registry is being deleted' };
  if (facts.invalid !== undefined) return { phase: 'Failed', message: facts.invalid };
  const failed = facts.sources.filter((source) => source.failure && !AWAITED.includes(source.failure.reason));
  if (failed.length > 0) return { phase: 'Failed', message: failed.map(describeFailure).join('; ') };
  const waiting = facts.sources.filter(({ failure }) => failure);
  if (waiting.length > 0) return { phase: 'Pending', message: waiting.map(describeFailure).join('; ') };
  if (!facts.serving) return { phase: 'Pending', message: 'Waiting for the registry server to start' };
  const running = facts.sources.filter((source) => source.running && (source.running.manual || !hasSynced(source)));
  if (running.length > 0) return { phase: 'Syncing', message: `Syncing ${names(running)}` };
  const unsynced = facts.sources.filter((source) => !hasSynced(source));
  if (unsynced.length > 0) return { phase: 'Pending', message: `Waiting for the first sync of ${names(unsynced)}` };
  return { phase: 'Ready', message: readyMessage(facts.sources) };
}

function readyMessage(sources: readonly SourceFacts[]): string {
  const servers = sum(sources, ({ serverCount }) => serverCount);
  const quarantined = sum(sources, (source) => source.quarantined);
  const warnings = sources.flatMap(({ name, warning }) => (warning === undefined ? [] : [`${name}: ${warning}`]));
  return [
    `Serving ${servers} ${servers === 1 ? 'server' : 'servers'} from ${sources.length} ${sources.length === 1 ? 'source' : 'sources'}`,
    ...(quarantined > 0 ? [`${quarantined} in quarantine`] : []),
    ...warnings,
  ].join('; ');
}

function describeFailure(source: SourceFacts): string {
  const kept =
    source.lastSyncAtMs === undefined ? '' : ` (data from ${rfc3339(source.lastSyncAtMs)} is still being served)`;
  return `${source.name}: ${source.failure?.message}${kept}`;
}

function toConditions(
  facts: RegistryFacts,
  message: string,
): Omit<Condition, 'observedGeneration' | 'lastTransitionTime'>[] {
  const failing = (reasons: (reason: Reason) => boolean) =>
    facts.sources.filter(({ failure }) => failure && reasons(failure.reason));
  const unavailable = failing((reason) => UNAVAILABLE.includes(reason));
  const invalid = failing((reason) => INVALID_DATA.includes(reason));
  const unsuccessful = failing(() => true);
  const quarantined = facts.sources.filter((source) => (source.quarantined ?? 0) > 0);
  const allSynced = facts.sources.every(hasSynced);
  const known = facts.sources.length > 0 && facts.sources.every((source) => hasSynced(source) || source.failure);

  const verdict = (
    type: Condition['type'],
    bad: readonly SourceFacts[],
    good: Pick<Condition, 'reason' | 'message'>,
  ): Omit<Condition, 'observedGeneration' | 'lastTransitionTime'> => {
    const first = bad[0]?.failure;
    if (first) return { type, status: 'False', reason: first.reason, message: bad.map(describeFailure).join('; ') };
    if (!known) return { type, status: 'Unknown', reason: 'Pending', message: 'No sync has finished yet' };
    return { type, status: 'True', ...good };
  };

  const ready = facts.serving && allSynced && facts.invalid === undefined && !facts.deleting;
  return [
    {
      type: 'Ready',
      status: ready ? 'True' : 'False',
      reason: ready ? 'Ready' : facts.invalid === undefined ? 'NotReady' : 'ValidationFailed',
      message,
    },
    verdict('SourceAvailable', unavailable, { reason: 'Available', message: 'Every source answers' }),
    verdict(
      'DataValid',
      invalid,
      quarantined.length > 0
        ? { reason: 'PartiallyValid', message: `Entries in quarantine: ${describeQuarantine(quarantined)}` }
        : { reason: 'Valid', message: 'Every entry is valid' },
    ),
    verdict('SyncSuccessful', unsuccessful, {
      reason: 'SyncComplete',
      message: 'The last sync of every source succeeded',
    }),
  ];
}

function toSyncStatus(sources: readonly SourceFacts[], digest: StatusSurroundings['digest']): SyncStatus {
  const statuses = sources.map(toSourceStatus);
  const phase = (['Failed', 'Syncing', 'Complete'] as const).find((candidate) =>
    statuses.some((status) => status.phase === candidate),
  );
  const newest = (pick: (status: SourceStatus) => string | undefined) =>
    statuses.map(pick).reduce((latest, time) => (time && (!latest || time > latest) ? time : latest), undefined);
  const hashes = statuses.flatMap(({ lastSyncHash }) => lastSyncHash ?? []);
  const lastAttempt = newest((status) => status.lastAttempt);
  const lastSyncTime = newest((status) => status.lastSyncTime);
  const message = statuses
    .flatMap((status) => (status.message ? [`${status.name}: ${status.message}`] : []))
    .join('; ');
  return {
    ...(phase ? { phase } : {}),
    ...(message ? { message } : {}),
    ...(lastAttempt ? { lastAttempt } : {}),
    attemptCount: Math.max(...statuses.map(({ attemptCount }) => attemptCount)),
    ...(lastSyncTime ? { lastSyncTime } : {}),
    ...(hashes.length > 0 ? { lastSyncHash: rollUp(hashes, digest) } : {}),
    serverCount: sum(sources, ({ serverCount }) => serverCount),
    sources: statuses,
  };
}

function toSourceStatus(source: SourceFacts): SourceStatus {
  const phase: SyncPhase | undefined = source.running
    ? 'Syncing'
    : source.failure
      ? 'Failed'
      : hasSynced(source)
        ? 'Complete'
        : undefined;
  const message = source.failure?.message ?? source.warning;
  return {
    name: source.name,
    ...(phase ? { phase } : {}),
    ...(message === undefined ? {} : { message }),
    ...(source.lastAttemptAtMs === undefined ? {} : { lastAttempt: rfc3339(source.lastAttemptAtMs) }),
    attemptCount: source.attemptCount,
    ...(source.lastSyncAtMs === undefined ? {} : { lastSyncTime: rfc3339(source.lastSyncAtMs) }),
    ...(source.lastSyncHash === undefined ? {} : { lastSyncHash: source.lastSyncHash }),
    ...(source.serverCount === undefined ? {} : { serverCount: source.serverCount }),
    ...(source.quarantined === undefined ? {} : { quarantined: source.quarantined }),
    ...(source.revision === undefined ? {} : { revision: source.revision }),
    ...(source.nextSyncAtMs === undefined ? {} : { nextSyncTime: rfc3339(source.nextSyncAtMs) }),
  };
}

function appliedFilters(
  sources: readonly SourceFacts[],
  digest: StatusSurroundings['digest'],
): Pick<RegistryStatus, 'lastAppliedFilterHash'> {
  const hashes = sources.flatMap(({ filterHash }) => filterHash ?? []);
  return hashes.length > 0 ? { lastAppliedFilterHash: rollUp(hashes, digest) } : {};
}

/** One hash for those of all sources, whatever their order. */
function rollUp(hashes: readonly string[], digest: StatusSurroundings['digest']): string {
  return digest(hashes.toSorted().join('\n'));
}

/** `servers (a, b and 3 more)`. */
function describeQuarantine(sources: readonly SourceFacts[]): string {
  return sources
    .map(({ name, quarantined = 0, quarantinedEntries: named = [] }) => {
      const more = quarantined - named.length;
      if (named.length === 0) return `${name} (${quarantined})`;
      return `${name} (${named.join(', ')}${more > 0 ? ` and ${more} more` : ''})`;
    })
    .join(', ');
}

function hasSynced(source: SourceFacts): boolean {
  return source.lastSyncAtMs !== undefined;
}

function names(sources: readonly SourceFacts[]): string {
  return sources.map(({ name }) => name).join(', ');
}

function sum(sources: readonly SourceFacts[], pick: (source: SourceFacts) => number | undefined): number {
  return sources.reduce((total, source) => total + (pick(source) ?? 0), 0);
}

/** RFC 3339 in UTC, to the second, as Kubernetes writes times. */
function rfc3339(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
