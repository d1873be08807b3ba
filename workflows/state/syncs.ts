import { ownMember } from '#domain/own-member.js';
import { jitterSpan, nextSync } from '#domain/next-sync.js';
import type { SyncNowRequest } from '#domain/server-messages.js';
import type { SourcePlan, SyncFailure, SyncOutcome, SyncRequest, SyncTrigger } from '#domain/sync.js';
import { currentStore, dropUndefined, mapSource, mapSources, mapStore, mapStores } from './registry-state.js';
import type { RegistryState, RunningSync, SourceState } from './registry-state.js';

export interface DueSync {
  readonly storeId: string;
  readonly source: string;
  readonly trigger: SyncTrigger;
}

/**
 * Applies a plan to a new or existing source. Only what has changed becomes due. A run of the previous plan is
 * superseded, and no sync is due later than the current interval allows.
 */
export function replanned(source: SourceState | undefined, plan: SourcePlan, nowMs: number): SourceState {
  const planned = planDigest(plan);
  if (!source) return unsynced(plan, nowMs);
  if (source.planned === planned) return rescheduled(source, plan.intervalMs);
  const changed = requested({ ...source, planned }, 'change', nowMs);
  return changed.running ? { ...changed, running: { ...changed.running, superseded: true } } : changed;
}

/** Returns the state of a source that was never synced into the store. */
export function unsynced(plan: SourcePlan, nowMs: number): SourceState {
  return { planned: planDigest(plan), attemptCount: 0, due: { atMs: nowMs, trigger: 'initial' } };
}

function planDigest(plan: SourcePlan): string {
  return [plan.specHash, plan.filterHash, plan.referenceHash].join(' ');
}

/**
 * Applies an edited interval, which counts from the last attempt. A sync that is due for another reason remains due.
 */
function rescheduled(source: SourceState, intervalMs: number | undefined): SourceState {
  const { due, ...rest } = source;
  if (source.running || source.lastAttemptAtMs === undefined) return source;
  const earliest = source.lastAttemptAtMs + (intervalMs ?? Infinity);
  if (due && due.trigger !== 'interval') {
    return due.atMs > earliest ? { ...source, due: { ...due, atMs: earliest } } : source;
  }
  if (intervalMs === undefined) return rest;
  const unmoved = due && due.atMs >= earliest && due.atMs <= earliest + jitterSpan(intervalMs);
  return unmoved ? source : { ...source, due: { atMs: earliest, trigger: 'interval' } };
}

/** Requests a sync of one source or, without `source`, of all. */
export function syncRequested(
  state: RegistryState,
  { source, trigger = 'manual' }: SyncNowRequest,
  nowMs: number,
): RegistryState {
  return mapStores(state, (store) =>
    mapSources(store, (each, name) =>
      source === undefined || source === name ? requested(each, trigger, nowMs) : each,
    ),
  );
}

/**
 * Makes a source due outside its schedule. A sync in progress is shown in the status from now on, and followed by
 * another one.
 */
export function requested(source: SourceState, trigger: SyncTrigger, nowMs: number): SourceState {
  const { running, due } = source;
  if (running) {
    const { quiet: _quiet, ...shown } = running;
    return { ...source, running: { ...shown, again: outranking(running.again, trigger) } };
  }
  return { ...source, due: { atMs: Math.min(nowMs, due?.atMs ?? nowMs), trigger: outranking(due?.trigger, trigger) } };
}

/** Returns the trigger that takes precedence. A sync requested by a user is always shown as such. */
function outranking(asked: SyncTrigger | undefined, next: SyncTrigger): SyncTrigger {
  return asked === 'manual' ? asked : next;
}

export function started(state: RegistryState, sync: DueSync, nowMs: number, deadlineMs: number): RegistryState {
  const { filterHash } = state.desired?.sources.find(({ name }) => name === sync.source) ?? {};
  const run = { run: state.nextRun, trigger: sync.trigger, startedAtMs: nowMs, deadlineMs, filterHash };
  const next = mapSource(state, sync.storeId, sync.source, ({ due, ...source }) => ({
    ...source,
    lastAttemptAtMs: nowMs,
    lastRun: state.nextRun,
    running: dropUndefined({ ...run, quiet: due && quietly(source, due) }),
  }));
  return { ...next, nextRun: state.nextRun + 1 };
}

/**
 * Returns what the status shows during a scheduled run. A check that finds nothing new should cause one report, not
 * two.
 */
function quietly(
  { lastAttemptAtMs, lastSync }: Pick<SourceState, 'lastAttemptAtMs' | 'lastSync'>,
  { atMs, trigger }: NonNullable<SourceState['due']>,
): RunningSync['quiet'] {
  if (!lastSync || !(trigger === 'interval' || trigger === 'retry')) return undefined;
  return dropUndefined({ lastAttemptAtMs, dueAtMs: atMs });
}

/**
 * Applies the outcome of a run and sets the next due time. An outcome of a run that is not in progress changes nothing,
 * so that a repeated report is harmless.
 */
export function settled(state: RegistryState, outcome: SyncOutcome, nowMs: number, random: number): RegistryState {
  const { storeId, source: name, run, failure } = outcome;
  const running = ownMember(state.stores[storeId]?.sources, name)?.running;
  if (running?.run !== run) return state;
  const settle = (change: (source: SourceState) => SourceState) => mapSource(state, storeId, name, change);
  if (failure?.overtakenBy !== undefined) return afterOvertaking(settle(dueAgain(running, nowMs)), failure.overtakenBy);
  if (failure?.reason === 'Cancelled' && running.superseded) return settle(dueAgain(running, nowMs));
  if (failure?.reason === 'Cancelled' && mayTellPlan(state, storeId, nowMs)) {
    return planLost(settle(dueAgain(running, nowMs)), storeId, nowMs);
  }
  const intervalMs = state.desired?.sources.find((plan) => plan.name === name)?.intervalMs;
  return settle((source) => {
    const ended = failure ? failed(source, outcome, failure) : succeeded(source, outcome);
    const next = nextDue(running, outcome, { intervalMs, attemptCount: ended.attemptCount }, nowMs, random);
    return next ? { ...ended, due: next } : ended;
  });
}

/**
 * Makes a source due immediately if its run ended because it was asked to, because that says nothing about the source.
 */
function dueAgain({ again }: RunningSync, nowMs: number): (source: SourceState) => SourceState {
  return ({ running: _ended, ...source }) => ({ ...source, due: { atMs: nowMs, trigger: again ?? 'change' } });
}

/**
 * Makes the number of the next run higher than the one that the store knows. The store has seen runs of a workflow that
 * has been forgotten.
 */
function afterOvertaking(state: RegistryState, overtakenBy: number): RegistryState {
  return { ...state, nextRun: Math.max(state.nextRun, overtakenBy + 1) };
}

const PLAN_LOST_PAUSE_MS = 60_000;

/**
 * Returns whether the plan may be sent again. A store that does not know a source of the plan has lost the plan, which
 * is sent again at most once a minute.
 */
function mayTellPlan(state: RegistryState, storeId: string, nowMs: number): boolean {
  return nowMs - (state.stores[storeId]?.planLostAtMs ?? 0) >= PLAN_LOST_PAUSE_MS;
}

function planLost(state: RegistryState, storeId: string, nowMs: number): RegistryState {
  return mapStore(state, storeId, ({ adoptedPlan: _plan, ...store }) => ({ ...store, planLostAtMs: nowMs }));
}

function succeeded(source: SourceState, outcome: SyncOutcome): SourceState {
  const { running: _running, failure: _failure, due: _due, ...rest } = source;
  return { ...rest, attemptCount: 0, lastSync: afterSuccess(outcome, source) };
}

function failed(source: SourceState, outcome: SyncOutcome, failure: SyncFailure): SourceState {
  const { running: _running, due: _due, ...rest } = source;
  const lastSync = afterFailure(outcome, source);
  return { ...rest, attemptCount: source.attemptCount + 1, failure, ...(lastSync && { lastSync }) };
}

function nextDue(
  running: RunningSync,
  { failure }: SyncOutcome,
  { intervalMs, attemptCount }: { readonly intervalMs: number | undefined; readonly attemptCount: number },
  nowMs: number,
  random: number,
): SourceState['due'] {
  if (running.again) return { atMs: nowMs, trigger: running.again };
  const isRetried = failure?.destiny === 'retry';
  const retryAfterMs = failure?.retryAfterMs;
  const attempt = {
    startedAt: running.startedAtMs,
    finishedAt: nowMs,
    intervalMs,
    isRetried,
    attemptCount,
    retryAfterMs,
  };
  return nextSync(attempt, random);
}

type LastSync = NonNullable<SourceState['lastSync']>;

function afterSuccess(outcome: SyncOutcome, { running, lastSync }: SourceState): LastSync {
  return dropUndefined({
    ...content(outcome, lastSync),
    atMs: outcome.finishedAt,
    hash: outcome.contentHash ?? outcome.stored?.contentHash ?? lastSync?.hash,
    revision: outcome.revision,
    filterHash: running?.filterHash,
  });
}

/**
 * Returns the last sync as it is after a failure: unchanged, except that an edited filter has already been applied to
 * the stored entries.
 */
function afterFailure(outcome: SyncOutcome, { running, lastSync }: SourceState): LastSync | undefined {
  if (!outcome.counts || !lastSync) return lastSync;
  return dropUndefined({ ...lastSync, ...content(outcome, lastSync), filterHash: running?.filterHash });
}

function content(
  { counts, stored, contentHash, notice, quarantinedEntries }: SyncOutcome,
  before: LastSync | undefined,
): Pick<LastSync, 'servers' | 'quarantined' | 'quarantinedEntries' | 'notice'> {
  const now = counts ?? stored;
  const entries = quarantinedEntries ?? before?.quarantinedEntries;
  if (!now) return before ?? {};
  // Counts with an unchanged content hash are the result of an edited filter, not of another reading.
  const wasRead = counts && contentHash !== undefined && contentHash !== before?.hash;
  return dropUndefined({
    servers: now.served,
    quarantined: now.quarantined,
    quarantinedEntries: now.quarantined > 0 ? entries : undefined,
    notice: notice ?? (wasRead ? undefined : remarkOnReading(before)),
  });
}

/**
 * Returns the notice of the last sync if it is about the content that was read, because such a notice stays true until
 * the content is read again.
 */
function remarkOnReading(before: LastSync | undefined): LastSync['notice'] {
  const { notice } = before ?? {};
  return notice && ['NullsDropped', 'VersionAssumed'].includes(notice.reason) ? notice : undefined;
}

/** Returns the runs that have not reported in time, as failures. */
export function overdue(state: RegistryState, nowMs: number): SyncOutcome[] {
  return Object.values(state.stores).flatMap(({ store, sources }) =>
    Object.entries(sources).flatMap(([source, { running }]) =>
      running && running.deadlineMs <= nowMs ? [unreported(source, store.id, running, nowMs)] : [],
    ),
  );
}

/** Returns the outcome of a run that ended without a report, because it was terminated or could not continue. */
export function unreported(
  source: string,
  storeId: string,
  { run, trigger, startedAtMs }: Pick<RunningSync, 'run' | 'trigger' | 'startedAtMs'>,
  nowMs: number,
): SyncOutcome {
  const message = 'the sync did not report its result; see its workflow in Temporal';
  const failure = { reason: 'TimedOut', message, destiny: 'retry' } as const;
  return { source, run, storeId, trigger, startedAt: startedAtMs, finishedAt: nowMs, failure };
}

/** Returns a run in progress together with the store to which it syncs, if there is one. */
export function findRunning(
  state: RegistryState,
  { source, run }: SyncRun,
): (RunningSync & { readonly storeId: string }) | undefined {
  return Object.values(state.stores).flatMap(({ store, sources }) => {
    const running = ownMember(sources, source)?.running;
    return running?.run === run ? [{ ...running, storeId: store.id }] : [];
  })[0];
}

/**
 * Returns the request for the next run of a source that is due, or undefined if the store or the source no longer
 * exists.
 */
export function toSyncRequest(state: RegistryState, { storeId, source, trigger }: DueSync): SyncRequest | undefined {
  const { registry, nextRun, desired, stores } = state;
  const known = stores[storeId];
  const plan = desired?.sources.find(({ name }) => name === source);
  if (!known || !plan) return undefined;
  const { lastSync } = ownMember(known.sources, source) ?? {};
  return dropUndefined<SyncRequest>({
    registry,
    source,
    address: plan.address,
    run: nextRun,
    trigger,
    store: known.store,
    mayBeEmpty: plan.mayBeEmpty,
    refilter: lastSync !== undefined && lastSync.filterHash !== plan.filterHash ? true : undefined,
    triggerToken: desired?.triggerToken,
  });
}

/**
 * Returns the runs that were started since a sync of these sources was requested, or undefined if one has not started
 * yet.
 */
export function startedSince(
  state: RegistryState,
  sources: readonly string[],
  run: number,
): { source: string; run: number }[] | undefined {
  const store = currentStore(state);
  const runs = sources.map((source) => ({ source, run: ownMember(store?.sources, source)?.lastRun ?? 0 }));
  return runs.every((each) => each.run >= run) ? runs : undefined;
}

/** Identifies a run of a source. */
export interface SyncRun {
  readonly source: string;
  readonly run: number;
}

/** Returns the runs to cancel, because their plan has changed or their source was removed from the spec. */
export function unwantedSyncs(state: RegistryState): SyncRun[] {
  return [...runningSyncs(state, ({ superseded }) => superseded === true), ...(state.abandoned ?? [])];
}

/** Forgets a cancelled run of a source that was removed from the spec. */
export function forgetAbandoned(state: RegistryState, run: number): RegistryState {
  const { abandoned = [], ...rest } = state;
  const left = abandoned.filter((each) => each.run !== run);
  return left.length === abandoned.length ? state : { ...rest, ...(left.length > 0 && { abandoned: left }) };
}

/** Returns the runs in progress. */
export function runningSyncs(state: RegistryState, which: (running: RunningSync) => boolean = () => true): SyncRun[] {
  return Object.values(state.stores).flatMap(({ sources }) =>
    Object.entries(sources).flatMap(([source, { running }]) =>
      running && which(running) ? [{ source, run: running.run }] : [],
    ),
  );
}
