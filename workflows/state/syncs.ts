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
 * Applies a plan to a source, known or new: only what changed becomes due. A run of the plan before is superseded, and nothing waits
 * longer than the current interval.
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

/** An edited interval counts from the last attempt; what is due for another reason stays due. */
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

/** Asks for a sync of one source or, without `source`, of all. */
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

/** Makes a source due beside its schedule. A sync that is under way is shown from now on, and followed by another. */
export function requested(source: SourceState, trigger: SyncTrigger, nowMs: number): SourceState {
  const { running, due } = source;
  if (running) {
    const { quiet: _quiet, ...shown } = running;
    return { ...source, running: { ...shown, again: outranking(running.again, trigger) } };
  }
  return { ...source, due: { atMs: Math.min(nowMs, due?.atMs ?? nowMs), trigger: outranking(due?.trigger, trigger) } };
}

/** Returns the stronger trigger: a sync that a user asks for is shown as such, whatever else asks for it. */
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

/** Returns what the status says during a regular run: a look that finds nothing new is worth one report and not two. */
function quietly(
  { lastAttemptAtMs, lastSync }: Pick<SourceState, 'lastAttemptAtMs' | 'lastSync'>,
  { atMs, trigger }: NonNullable<SourceState['due']>,
): RunningSync['quiet'] {
  if (!lastSync || !(trigger === 'interval' || trigger === 'retry')) return undefined;
  return dropUndefined({ lastAttemptAtMs, dueAtMs: atMs });
}

/**
 * Takes in what came of a run and sets the next due time. A report of a run that is not under way changes nothing, so that a
 * repeated one is harmless.
 */
export function settled(state: RegistryState, outcome: SyncOutcome, nowMs: number, random: number): RegistryState {
  const { storeId, source: name, run, failure } = outcome;
  const running = state.stores[storeId]?.sources[name]?.running;
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

/** Makes a source due at once whose run ended because it was asked to: that says nothing about the source. */
function dueAgain({ again }: RunningSync, nowMs: number): (source: SourceState) => SourceState {
  return ({ running: _ended, ...source }) => ({ ...source, due: { atMs: nowMs, trigger: again ?? 'change' } });
}

/** Numbers the next run beyond the one that the store knows: it has seen runs of a workflow that is forgotten. */
function afterOvertaking(state: RegistryState, overtakenBy: number): RegistryState {
  return { ...state, nextRun: Math.max(state.nextRun, overtakenBy + 1) };
}

const PLAN_LOST_PAUSE_MS = 60_000;

/** A store that does not know a source of the plan has lost the plan, which is sent again, once a minute at most. */
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

/** A failure clears nothing, but an edited filter has taken effect on what is stored. */
function afterFailure(outcome: SyncOutcome, { running, lastSync }: SourceState): LastSync | undefined {
  if (!outcome.counts || !lastSync) return lastSync;
  return dropUndefined({ ...lastSync, ...content(outcome, lastSync), filterHash: running?.filterHash });
}

function content(
  { counts, stored, notice, quarantinedEntries }: SyncOutcome,
  before: LastSync | undefined,
): Pick<LastSync, 'servers' | 'quarantined' | 'quarantinedEntries' | 'notice'> {
  const now = counts ?? stored;
  const entries = quarantinedEntries ?? before?.quarantinedEntries;
  if (!now) return before ?? {};
  return dropUndefined({
    servers: now.served,
    quarantined: now.quarantined,
    quarantinedEntries: now.quarantined > 0 ? entries : undefined,
    notice,
  });
}

/** Returns the runs that have not reported in time, as failures to be settled. */
export function overdue(state: RegistryState, nowMs: number): SyncOutcome[] {
  return Object.values(state.stores).flatMap(({ store, sources }) =>
    Object.entries(sources).flatMap(([source, { running }]) =>
      running && running.deadlineMs <= nowMs ? [unreported(source, store.id, running, nowMs)] : [],
    ),
  );
}

/** Returns the outcome of a run that ended without a report: it was terminated, or could not go on. */
export function unreported(
  source: string,
  storeId: string,
  { run, trigger, startedAtMs }: Pick<RunningSync, 'run' | 'trigger' | 'startedAtMs'>,
  nowMs: number,
): SyncOutcome {
  const message = 'the sync did not report how it ended; its workflow shows where it stands';
  const failure = { reason: 'TimedOut', message, destiny: 'retry' } as const;
  return { source, run, storeId, trigger, startedAt: startedAtMs, finishedAt: nowMs, failure };
}

/** Reports whether this run of the source is under way. */
export function isRunning(state: RegistryState, { storeId, source }: DueSync, run: number): boolean {
  return state.stores[storeId]?.sources[source]?.running?.run === run;
}

/** Returns the next run of what is due, as its workflow gets it; undefined when the store or the source has gone. */
export function toSyncRequest(state: RegistryState, { storeId, source, trigger }: DueSync): SyncRequest | undefined {
  const { registry, nextRun, desired, stores } = state;
  const known = stores[storeId];
  const plan = desired?.sources.find(({ name }) => name === source);
  if (!known || !plan) return undefined;
  const { lastSync } = known.sources[source] ?? {};
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

/** Returns the runs that were started since a sync of these sources was asked for; undefined while one is still waiting. */
export function startedSince(
  state: RegistryState,
  sources: readonly string[],
  run: number,
): { source: string; run: number }[] | undefined {
  const store = currentStore(state);
  const runs = sources.map((source) => ({ source, run: store?.sources[source]?.lastRun ?? 0 }));
  return runs.every((each) => each.run >= run) ? runs : undefined;
}

/** Identifies a run of a source. */
export interface SyncRun {
  readonly source: string;
  readonly run: number;
}

/** Returns the runs that are to be cancelled: their plan has changed, or their source has left the spec. */
export function unwantedSyncs(state: RegistryState): SyncRun[] {
  return [...runningSyncs(state, ({ superseded }) => superseded === true), ...(state.abandoned ?? [])];
}

/** Forgets a run of a source that has left the spec, once it is cancelled. */
export function forgetAbandoned(state: RegistryState, run: number): RegistryState {
  const { abandoned = [], ...rest } = state;
  const left = abandoned.filter((each) => each.run !== run);
  return left.length === abandoned.length ? state : { ...rest, ...(left.length > 0 && { abandoned: left }) };
}

/** Returns the runs that are under way. */
export function runningSyncs(state: RegistryState, which: (running: RunningSync) => boolean = () => true): SyncRun[] {
  return Object.values(state.stores).flatMap(({ sources }) =>
    Object.entries(sources).flatMap(([source, { running }]) =>
      running && which(running) ? [{ source, run: running.run }] : [],
    ),
  );
}
