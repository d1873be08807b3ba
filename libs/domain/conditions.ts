import { isWarning } from './notice.js';
import type { Notice, NoticeReason } from './notice.js';
import type { Reason } from './reasons.js';
import type {
  ApiStatus,
  Condition,
  RegistryPhase,
  RegistryStatus,
  SourceStatus,
  SyncPhase,
  SyncStatus,
} from './registry-status.js';
import type { ServerTrouble, WorkloadFacts } from './workload.js';

/** What is known of one source; times in milliseconds since 1970. */
export interface SourceFacts {
  readonly name: string;
  /** It is in no spec. */
  readonly builtIn?: true;
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
  readonly notices?: readonly Notice[];
  /** Of the last attempt. */
  readonly failure?: { readonly reason: Reason; readonly message: string };
  readonly nextSyncAtMs?: number;
}

/** What is known of the server that is run for a registry. */
export interface ServerFacts {
  readonly endpoint: string;
  /** Whether a podTemplateSpec of the user takes part. */
  readonly podTemplate: boolean;
  /** Everything stands as the spec wants it now. */
  readonly provisioned: boolean;
  /** Of the last attempt to provision it. */
  readonly failure?: { readonly reason: Reason; readonly message: string; readonly notice?: NoticeReason };
  /** `live` is about the pod template that was deployed last. */
  readonly workload?: WorkloadFacts;
  /** It runs, but cannot store and serve yet. */
  readonly delayed?: ServerTrouble<Reason>;
  readonly warnings: readonly Notice[];
}

/** All that decides a status. */
export interface RegistryFacts {
  readonly generation: number;
  readonly deleting: boolean;
  /** Set when the spec cannot be followed. */
  readonly invalid?: string;
  /** What the spec says without effect. */
  readonly notices?: readonly Notice[];
  /** Whether anything is there that can store and serve. */
  readonly serving: boolean;
  readonly handledTrigger?: string;
  readonly sources: readonly SourceFacts[];
  /** Absent where a server stands already. */
  readonly server?: ServerFacts;
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
  'KubernetesRefused',
  'KubernetesUnreachable',
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
  const sources = worthAWord(facts.sources);
  const conditions = toConditions(facts, message).map((condition): Condition => {
    const before = previous?.conditions.find(({ type }) => type === condition.type);
    const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : rfc3339(nowMs);
    return { ...condition, observedGeneration: facts.generation, lastTransitionTime };
  });
  return {
    phase,
    message,
    observedGeneration: facts.generation,
    ...(sources.length > 0 ? { syncStatus: toSyncStatus(sources, digest) } : {}),
    ...appliedFilters(sources, digest),
    ...(facts.server && {
      apiStatus: toApiStatus(facts.server, previous?.apiStatus, nowMs),
      url: facts.server.endpoint,
      readyReplicas: facts.server.workload?.readyReplicas ?? 0,
    }),
    ...(facts.handledTrigger === undefined ? {} : { lastManualSyncTrigger: facts.handledTrigger }),
    ...noticed(facts),
    conditions,
  };
}

/** Nobody asked for a source that is built in: it is told of when it serves something, has a fault, or is all there is. */
function worthAWord(sources: readonly SourceFacts[]): readonly SourceFacts[] {
  const shown = sources.filter(
    ({ builtIn, failure, serverCount = 0, quarantined = 0 }) => !builtIn || failure || serverCount + quarantined > 0,
  );
  return shown.length > 0 ? shown : sources;
}

function toPhase(facts: RegistryFacts): { phase: RegistryPhase; message: string } {
  if (facts.deleting) return { phase: 'Terminating', message: 'The registry is being deleted' };
  if (facts.invalid !== undefined) return { phase: 'Failed', message: facts.invalid };
  const failed = facts.sources.filter((source) => source.failure && !AWAITED.includes(source.failure.reason));
  if (failed.length > 0) return { phase: 'Failed', message: failed.map(describeFailure).join('; ') };
  if (facts.server?.failure) return { phase: 'Failed', message: facts.server.failure.message };
  const waiting = facts.sources.filter(({ failure }) => failure);
  if (waiting.length > 0) return { phase: 'Pending', message: waiting.map(describeFailure).join('; ') };
  if (!facts.serving) return { phase: 'Pending', message: awaitedServer(facts.server) };
  const running = facts.sources.filter((source) => source.running && (source.running.manual || !hasSynced(source)));
  if (running.length > 0) return { phase: 'Syncing', message: `Syncing ${names(running)}` };
  const unsynced = facts.sources.filter((source) => !hasSynced(source));
  if (unsynced.length > 0) return { phase: 'Pending', message: `Waiting for the first sync of ${names(unsynced)}` };
  if (!isLive(facts.server)) return { phase: 'Pending', message: `Synced; ${lowerFirst(awaitedServer(facts.server))}` };
  return { phase: 'Ready', message: readyMessage(facts) };
}

/** A server that stands already is live for whoever can ask. */
function isLive(server: ServerFacts | undefined): boolean {
  return server === undefined || (server.provisioned && !server.failure && server.workload?.live === true);
}

/** Which pod is awaited, and why it is not there, in the words of whoever keeps it from being there. */
function awaitedServer(server: ServerFacts | undefined): string {
  if (!server) return 'Waiting for the registry server to start';
  if (!server.provisioned) return 'Provisioning the registry server';
  const { delayed, workload } = server;
  if (isLive(server)) return 'Waiting for the registry server to take syncs';
  if (delayed && !workload?.trouble) return `Waiting for pod ${delayed.pod}: ${delayed.message}`;
  const awaited = workload?.awaited ? `pod ${workload.awaited}` : 'a pod of the registry server';
  return `Waiting for ${awaited}${workload?.trouble ? `: ${workload.trouble}` : ' to become ready'}`;
}

function toApiStatus(server: ServerFacts, previous: ApiStatus | undefined, nowMs: number): ApiStatus {
  const { failure, provisioned, endpoint, workload } = server;
  const live = isLive(server);
  const before = previous?.readySince;
  const readySince = live && previous?.phase !== 'Ready' ? rfc3339(nowMs) : before;
  const since = readySince === undefined ? {} : { readySince };
  if (failure) return { phase: 'Error', message: failure.message, ...since };
  if (live) return { phase: 'Ready', message: 'The registry server answers', endpoint, ...since };
  const message = awaitedServer(server);
  if (!provisioned && !workload) return { phase: 'NotStarted', message, ...since };
  const broken = provisioned && before !== undefined && workload?.readyReplicas === 0;
  return { phase: broken ? 'Unhealthy' : 'Deploying', message, ...since };
}

function noticed(facts: RegistryFacts): Pick<RegistryStatus, 'notices'> {
  const { failure } = facts.server ?? {};
  const collision = failure?.notice ? [{ reason: failure.notice, message: failure.message }] : [];
  const notices = [...noticesOf(facts), ...collision];
  return notices.length > 0 ? { notices } : {};
}

function noticesOf({ notices = [], sources, server }: RegistryFacts): Notice[] {
  const ofSources = sources.flatMap(({ name, notices: own = [] }) =>
    own.map(({ reason, message }) => ({ reason, message: `${name}: ${message}` })),
  );
  return [...notices, ...ofSources, ...(server?.warnings ?? [])];
}

function readyMessage(facts: RegistryFacts): string {
  const sources = worthAWord(facts.sources);
  const servers = sum(sources, ({ serverCount }) => serverCount);
  const quarantined = sum(sources, (source) => source.quarantined);
  return [
    `Serving ${servers} ${servers === 1 ? 'server' : 'servers'} from ${sources.length} ${sources.length === 1 ? 'source' : 'sources'}`,
    ...(quarantined > 0 ? [`${quarantined} in quarantine`] : []),
    ...noticesOf(facts).flatMap((notice) => (isWarning(notice) ? [notice.message] : [])),
  ].join('; ');
}

function describeFailure(source: SourceFacts): string {
  const kept =
    source.lastSyncAtMs === undefined ? '' : ` (data from ${rfc3339(source.lastSyncAtMs)} is still being served)`;
  return `${source.name}: ${source.failure?.message}${kept}`;
}

type Verdict = Omit<Condition, 'observedGeneration' | 'lastTransitionTime'>;

function toConditions(facts: RegistryFacts, message: string): Verdict[] {
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
  ): Verdict => {
    const first = bad[0]?.failure;
    if (first) return { type, status: 'False', reason: first.reason, message: bad.map(describeFailure).join('; ') };
    if (!known) return { type, status: 'Unknown', reason: 'Pending', message: 'No sync has finished yet' };
    return { type, status: 'True', ...good };
  };

  const ready = facts.serving && allSynced && facts.invalid === undefined && !facts.deleting && isLive(facts.server);
  const notReady = facts.invalid === undefined ? (facts.server?.failure?.reason ?? 'NotReady') : 'ValidationFailed';
  return [
    { type: 'Ready', status: ready ? 'True' : 'False', reason: ready ? 'Ready' : notReady, message },
    ...(facts.server ? serverConditions(facts.server) : []),
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

/** PodTemplateValid stands there only for who has one. */
function serverConditions(server: ServerFacts): Verdict[] {
  const { failure, delayed, workload } = server;
  const api: Verdict = isLive(server)
    ? { type: 'APIReady', status: 'True', reason: 'APIReady', message: 'The registry server answers' }
    : {
        type: 'APIReady',
        status: 'False',
        reason: failure?.reason ?? (workload?.trouble ? undefined : delayed?.reason) ?? 'APINotReady',
        message: failure?.message ?? awaitedServer(server),
      };
  if (!server.podTemplate) return [api];
  const type = 'PodTemplateValid';
  if (failure?.reason === 'InvalidPodTemplateSpec') {
    return [api, { type, status: 'False', reason: failure.reason, message: failure.message }];
  }
  if (!server.provisioned) {
    return [api, { type, status: 'Unknown', reason: 'Pending', message: 'It has not been tried yet' }];
  }
  const message = server.warnings.map((warning) => warning.message).join('; ') || 'It is part of the Deployment';
  return [api, { type, status: 'True', reason: 'ValidPodTemplateSpec', message }];
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
  const message = source.failure?.message ?? source.notices?.map((notice) => notice.message).join('; ');
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

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
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
