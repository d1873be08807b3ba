import { jitterSpan, nextSync } from '#domain/next-sync.js';
import type { SyncNowRequest } from '#domain/server-messages.js';
import type { SourcePlan, SyncOutcome, SyncRequest, SyncTrigger } from '#domain/sync.js';
import { currentStore, dropUndefined, mapSource, mapSources, mapStores } from './registry-state.js';
import type { RegistryState, RunningSync, SourceState } from './registry-state.js';

export interface DueSync {
  readonly storeId: string;
  readonly source: string;
  readonly trigger: SyncTrigger;
}

/**
 * What a plan makes of a source, known or new: only what changed is done anew. A sync by the plan of before ends, and
 * nothing waits longer than the interval of now; `atOnce` false: as in workflows that began before that.
 */
export function replanned(
  source: SourceState | undefined,
  plan: SourcePlan,
  nowMs: number,
  atOnce = true,
): SourceState {
  const planned = planDigest(plan);
  if (!source) return unsynced(plan, nowMs);
  if (source.planned === planned) return rescheduled(source, plan.intervalMs, atOnce);
  const changed = requested({ ...source, planned }, 'change', nowMs);
  return atOnce && changed.running ? { ...changed, running: { ...changed.running, superseded: true } } : changed;
}

/** A source of which nothing is known. */
export function unsynced(plan: SourcePlan, nowMs: number): SourceState {
  return { planned: planDigest(plan), attemptCount: 0, due: { atMs: nowMs, trigger: 'initial' } };
}

function planDigest(plan: SourcePlan): string {
  return [plan.specHash, plan.filterHash, plan.referenceHash].join(' ');
}

/** An edited interval counts from the last attempt; what is due for another reason stays due. */
function rescheduled(source: SourceState, intervalMs: number | undefined, atOnce: boolean): SourceState {
  const { due, ...rest } = source;
  if (source.running || source.lastAttemptAtMs === undefined) return source;
  const earliest = source.lastAttemptAtMs + (intervalMs ?? Infinity);
  if (due && due.trigger !== 'interval') {
    return atOnce && due.atMs > earliest ? { ...source, due: { ...due, atMs: earliest } } : source;
  }
  if (intervalMs === undefined) return rest;
  const unmoved = due && due.atMs >= earliest && due.atMs <= earliest + jitterSpan(intervalMs);
  return unmoved ? source : { ...source, due: { atMs: earliest, trigger: 'interval' } };
}

/** `source` absent: all of them. */
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

/** A sync beside the schedule. One that is under way is followed by another. */
export function requested(source: SourceState, trigger: SyncTrigger, nowMs: number): SourceState {
  const { running, due } = source;
  if (running) return { ...source, running: { ...running, again: outranking(running.again, trigger) } };
  return { ...source, due: { atMs: Math.min(nowMs, due?.atMs ?? nowMs), trigger: outranking(due?.trigger, trigger) } };
}

/** Returns the stronger reason: that somebody asks for a sync by hand is shown to them, whatever else asks for it. */
function outranking(asked: SyncTrigger | undefined, next: SyncTrigger): SyncTrigger {
  return asked === 'manual' ? asked : next;
}

export function started(state: RegistryState, sync: DueSync, nowMs: number, deadlineMs: number): RegistryState {
  const { filterHash } = state.desired?.sources.find(({ name }) => name === sync.source) ?? {};
  const running = dropUndefined({
    run: state.nextRun,
    trigger: sync.trigger,
    startedAtMs: nowMs,
    deadlineMs,
    filterHash,
  });
  const next = mapSource(state, sync.storeId, sync.source, ({ due: _due, ...source }) => ({
    ...source,
    lastAttemptAtMs: nowMs,
    lastRun: state.nextRun,
    running,
  }));
  return { ...next, nextRun: state.nextRun + 1 };
}

/** Takes in what came of a run and sets the next due time. A report of a run that nobody waits for changes nothing. */
export function settled(state: RegistryState, outcome: SyncOutcome, nowMs: number, random: number): RegistryState {
  const intervalMs = state.desired?.sources.find(({ name }) => name === outcome.source)?.intervalMs;
  return mapSource(state, outcome.storeId, outcome.source, (source) => {
    const { running, failure: _failure, ...rest } = source;
    if (running?.run !== outcome.run) return source;
    // Nobody wants to know any more: it failed because it was asked to end.
    if (running.superseded && outcome.failure?.reason === 'Cancelled') {
      const { running: _ended, ...before } = source;
      return { ...before, due: { atMs: nowMs, trigger: running.again ?? 'change' } };
    }
    const isRetried = outcome.failure?.destiny === 'retry';
    const attemptCount = outcome.failure ? source.attemptCount + 1 : 0;
    const next = running.again
      ? { atMs: nowMs, trigger: running.again }
      : nextSync(
          {
            startedAt: running.startedAtMs,
            finishedAt: nowMs,
            intervalMs,
            isRetried,
            attemptCount,
            retryAfterMs: outcome.failure?.retryAfterMs,
          },
          random,
        );
    const lastSync = outcome.failure ? afterFailure(outcome, source) : afterSuccess(outcome, source);
    return {
      ...rest,
      attemptCount,
      ...(next ? { due: next } : {}),
      ...(outcome.failure ? { failure: outcome.failure } : {}),
      ...(lastSync ? { lastSync } : {}),
    };
  });
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

/** A failure clears nothing; but an edited filter has taken effect on what is stored. */
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

/** Runs that have not reported in time, as failures to be settled. */
export function overdue(state: RegistryState, nowMs: number): SyncOutcome[] {
  return Object.values(state.stores).flatMap(({ store, sources }) =>
    Object.entries(sources).flatMap(([source, { running }]) =>
      running && running.deadlineMs <= nowMs
        ? [
            {
              source,
              run: running.run,
              storeId: store.id,
              trigger: running.trigger,
              startedAt: running.startedAtMs,
              finishedAt: nowMs,
              failure: {
                reason: 'TimedOut' as const,
                message: 'the sync did not report in time; its workflow shows where it stands',
                destiny: 'retry' as const,
              },
            },
          ]
        : [],
    ),
  );
}

/** The next run of what is due, as its workflow is told of it; undefined when there is no such store or source any more. */
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

/** The sources whose sync was asked for and has been started since; undefined while one of them is still waiting. */
export function startedSince(
  state: RegistryState,
  sources: readonly string[],
  run: number,
): { source: string; run: number }[] | undefined {
  const store = currentStore(state);
  const runs = sources.map((source) => ({ source, run: store?.sources[source]?.lastRun ?? 0 }));
  return runs.every((each) => each.run >= run) ? runs : undefined;
}

/** Those whose plan has changed since they were started. */
export function supersededSyncs(state: RegistryState): { source: string; run: number }[] {
  return runningSyncs(state, ({ superseded }) => superseded === true);
}

/** Numbers of the runs under way, to be cancelled when the registry is deleted. */
export function runningSyncs(
  state: RegistryState,
  which: (running: RunningSync) => boolean = () => true,
): { source: string; run: number }[] {
  return Object.values(state.stores).flatMap(({ sources }) =>
    Object.entries(sources).flatMap(([source, { running }]) =>
      running && which(running) ? [{ source, run: running.run }] : [],
    ),
  );
}
