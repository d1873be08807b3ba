import type { DesiredState } from '#activities/contract.js';
import type { RegistryFacts, SourceFacts } from '#domain/conditions.js';
import { jitterSpan, nextSync } from '#domain/next-sync.js';
import type { Notice } from '#domain/notice.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { SyncNowRequest } from '#domain/server-messages.js';
import { NOT_PROVISIONED, storeAnnounced, summarizeServer } from './provisioning.js';
import type { ProvisioningState } from './provisioning.js';
import type { SourcePlan, Store, SyncFailure, SyncOutcome, SyncTrigger } from '#domain/sync.js';

/**
 * All that the life of one MCPRegistry remembers, and the decisions over it: pure functions from state to state. It is
 * carried across continue-as-new, so it holds references, hashes and counts only, and absolute times in milliseconds.
 */
export interface RegistryState {
  readonly registry: RegistryRef;
  /** The resource must be read again. */
  readonly stale: boolean;
  /** It could not be read; not before then again, unless something is heard of it. */
  readonly retryReadAtMs?: number;
  readonly desired?: DesiredState;
  /** The resource is gone: nothing is left to do. */
  readonly gone?: true;
  /** Value of the sync-trigger annotation that was acted upon last; repeats of it are ignored for ever. */
  readonly handledTrigger?: string;
  readonly stores: Readonly<Record<string, StoreState>>;
  /** Number of the next sync run; never used twice in the life of a registry. */
  readonly nextRun: number;
  readonly report: { readonly digest: string; readonly atMs: number };
  /** Where a server is run for the registry. */
  readonly provisioning?: ProvisioningState;
}

export interface StoreState {
  readonly store: Store;
  readonly openedAtMs: number;
  /** The plan that the store has adopted; it must know the current one before anything is synced into it. */
  readonly adoptedPlan?: string;
  /** Being told of it at this moment; never true across continue-as-new. */
  readonly adopting?: boolean;
  readonly retryAdoptionAtMs?: number;
  /** Why it could not be told of the plan; meanwhile nothing is synced into it. */
  readonly adoptionFailure?: SyncFailure;
  readonly sources: Readonly<Record<string, SourceState>>;
}

export interface SourceState {
  /** Hashes of the plan as it was when the source was last made due by a change. */
  readonly planned: string;
  readonly due?: { readonly atMs: number; readonly trigger: SyncTrigger };
  readonly running?: RunningSync;
  /** The run that was started last, finished or not. */
  readonly lastRun?: number;
  readonly attemptCount: number;
  readonly lastAttemptAtMs?: number;
  readonly lastSync?: {
    readonly atMs: number;
    readonly hash?: string;
    readonly revision?: string;
    readonly servers?: number;
    readonly quarantined?: number;
    readonly quarantinedEntries?: readonly string[];
    readonly notice?: Notice;
    /** Of the filter that the stored entries are marked by. */
    readonly filterHash?: string;
  };
  readonly failure?: SyncFailure;
  /** The revision that the shrink guard held back; a manual trigger confirms it. */
  readonly heldRevision?: string;
}

export interface RunningSync {
  readonly run: number;
  readonly trigger: SyncTrigger;
  readonly startedAtMs: number;
  /** Of the plan that it was started with. */
  readonly filterHash?: string;
  /** No report by then counts as a failure. */
  readonly deadlineMs: number;
  /** Something asked for another sync while this one ran. */
  readonly again?: SyncTrigger;
}

export interface DueSync {
  readonly storeId: string;
  readonly source: string;
  readonly trigger: SyncTrigger;
}

const REPORT_SPACING_MS = 5_000;
const ADOPTION_RETRY_MS = 30_000;
const READ_RETRY_MS = 30_000;

export function newRegistryState(registry: RegistryRef): RegistryState {
  return { registry, stale: true, stores: {}, nextRun: 1, report: { digest: '', atMs: 0 } };
}

/** The resource is to be read. */
export function readDue({ stale, retryReadAtMs = 0 }: RegistryState, nowMs: number): boolean {
  return stale && retryReadAtMs <= nowMs;
}

/** Something may have changed about the resource: whatever kept it from being read may be gone as well. */
export function noticed({ retryReadAtMs: _retry, ...state }: RegistryState): RegistryState {
  return { ...state, stale: true };
}

export function readFailed(state: RegistryState, nowMs: number): RegistryState {
  return { ...state, stale: true, retryReadAtMs: nowMs + READ_RETRY_MS };
}

/** Takes over what the resource wants now. Only what changed becomes due; equal twice changes nothing. */
export function adopted(state: RegistryState, desired: DesiredState | null, nowMs: number): RegistryState {
  if (!desired) return { ...state, gone: true };
  if (desired.invalid !== undefined) {
    // What was planned before stays known, so that nothing is lost when the spec is mended; meanwhile nothing is synced.
    const { sources = [], provision } = state.desired ?? {};
    return { ...state, desired: { ...desired, sources, ...(provision && { provision }) } };
  }
  const manual = isNewTrigger(state, desired);
  const next: RegistryState = {
    ...state,
    desired,
    ...(desired.triggerToken === undefined ? {} : { handledTrigger: desired.triggerToken }),
  };
  return mapStores(next, (store) => {
    const sources = Object.fromEntries(
      desired.sources.map((plan) => [plan.name, replanned(store.sources[plan.name], plan, nowMs)]),
    );
    const planned = { ...store, sources };
    return manual ? mapSources(planned, (source) => requested(source, 'manual', nowMs)) : planned;
  });
}

/** A first trigger on a resource that was never synced asks for what happens anyway; a repeated one for nothing. */
function isNewTrigger(state: RegistryState, desired: DesiredState): boolean {
  return Boolean(desired.triggerToken) && desired.triggerToken !== state.handledTrigger;
}

function replanned(source: SourceState | undefined, plan: SourcePlan, nowMs: number): SourceState {
  const planned = planDigest(plan);
  if (!source) return { planned, attemptCount: 0, due: { atMs: nowMs, trigger: 'initial' } };
  if (source.planned !== planned) return requested({ ...source, planned }, 'change', nowMs);
  return rescheduled(source, plan.intervalMs);
}

/** An edited interval counts from the last attempt; what is due for another reason stays due. */
function rescheduled(source: SourceState, intervalMs: number | undefined): SourceState {
  if (source.running || source.lastAttemptAtMs === undefined) return source;
  if (source.due && source.due.trigger !== 'interval') return source;
  const { due, ...rest } = source;
  if (intervalMs === undefined) return rest;
  const earliest = source.lastAttemptAtMs + intervalMs;
  const unmoved = due && due.atMs >= earliest && due.atMs <= earliest + jitterSpan(intervalMs);
  return unmoved ? source : { ...source, due: { atMs: earliest, trigger: 'interval' } };
}

/**
 * A new store gets everything at once; one that came back keeps its schedule, and syncs what has no interval. A server
 * that took over from another was made from other Secrets and volumes: what failed there may succeed here.
 */
export function opened(state: RegistryState, store: Store, nowMs: number): RegistryState {
  const known = state.stores[store.id];
  const plans = state.desired?.sources ?? [];
  const sources = Object.fromEntries(
    plans.map((plan) => {
      const source = known?.sources[plan.name];
      if (!source) return [plan.name, replanned(undefined, plan, nowMs)];
      const again = plan.intervalMs === undefined || (source.failure && known?.store.taskQueue !== store.taskQueue);
      return [plan.name, again ? requested(source, 'start', nowMs) : source];
    }),
  );
  return {
    ...state,
    stores: { ...state.stores, [store.id]: { store, openedAtMs: nowMs, sources } },
    ...(state.provisioning && { provisioning: storeAnnounced(state.provisioning) }),
  };
}

/** The store took no task: it is gone until it announces itself again. What ran in it ends by itself. */
export function lost(state: RegistryState, storeId: string): RegistryState {
  const { [storeId]: _gone, ...stores } = state.stores;
  return { ...state, stores };
}

/** A task of this source was not taken. Where another server has taken the store over since, that one is to do it. */
export function untaken(
  state: RegistryState,
  { storeId, source, taskQueue }: Pick<SyncOutcome, 'storeId' | 'source' | 'taskQueue'>,
  nowMs: number,
): RegistryState {
  const current = state.stores[storeId]?.store.taskQueue;
  if (taskQueue === undefined || taskQueue === current) return lost(state, storeId);
  return mapSource(state, storeId, source, (each) => requested(each, 'start', nowMs));
}

/** `source` absent: all of them. Runs that are under way are followed by another. */
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

function requested(source: SourceState, trigger: SyncTrigger, nowMs: number): SourceState {
  const { running, due } = source;
  if (running) return { ...source, running: { ...running, again: outranking(running.again, trigger) } };
  return { ...source, due: { atMs: Math.min(nowMs, due?.atMs ?? nowMs), trigger: outranking(due?.trigger, trigger) } };
}

/** Only a sync that is asked for by hand confirms what is held back: nothing that comes on top may take its place. */
function outranking(asked: SyncTrigger | undefined, next: SyncTrigger): SyncTrigger {
  return asked === 'manual' ? asked : next;
}

/** Stores whose sources are not those of the current plan yet. */
export function storesToAdopt(state: RegistryState, nowMs: number): StoreState[] {
  const plan = wholePlanDigest(state);
  if (plan === undefined) return [];
  return Object.values(state.stores).filter(
    (store) => !store.adopting && store.adoptedPlan !== plan && (store.retryAdoptionAtMs ?? 0) <= nowMs,
  );
}

export function adoptionStarted(state: RegistryState, storeId: string): RegistryState {
  return mapStores(state, (store) => (store.store.id === storeId ? { ...store, adopting: true } : store));
}

/**
 * `plan` undefined: the store could not be told; it is tried again later. `taskQueue`: of the server that was told, which may
 * not be the one any more that has the store.
 */
export function adoptionSettled(
  state: RegistryState,
  { id, taskQueue }: Pick<Store, 'id'> & { readonly taskQueue?: string },
  plan: string | undefined,
  nowMs: number,
  failure?: SyncFailure,
): RegistryState {
  return mapStores(state, (store) => {
    if (store.store.id !== id || (taskQueue !== undefined && store.store.taskQueue !== taskQueue)) return store;
    const { retryAdoptionAtMs: _retry, adopting: _adopting, adoptionFailure: _failure, ...rest } = store;
    return plan === undefined
      ? { ...rest, retryAdoptionAtMs: nowMs + ADOPTION_RETRY_MS, ...(failure && { adoptionFailure: failure }) }
      : { ...rest, adoptedPlan: plan };
  });
}

/** Of everything that a store must know of the plan; undefined while there is none. */
export function wholePlanDigest(state: RegistryState): string | undefined {
  return state.desired && state.desired.invalid === undefined
    ? JSON.stringify([state.desired.generation, state.desired.sources.map((plan) => [plan.name, plan.intervalMs])])
    : undefined;
}

export function dueSyncs(state: RegistryState, nowMs: number): DueSync[] {
  const plan = wholePlanDigest(state);
  return Object.values(state.stores)
    .filter((store) => store.adoptedPlan !== undefined && store.adoptedPlan === plan)
    .flatMap(({ store, sources }) =>
      Object.entries(sources).flatMap(([source, { due, running }]) =>
        due && !running && due.atMs <= nowMs ? [{ storeId: store.id, source, trigger: due.trigger }] : [],
      ),
    );
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
    const { running, failure: _failure, heldRevision: _held, ...rest } = source;
    if (running?.run !== outcome.run) return source;
    const isRetried = outcome.failure?.destiny === 'retry';
    // What was confirmed stays so until the source could be asked.
    const held = outcome.failure?.heldRevision ?? (isRetried ? source.heldRevision : undefined);
    const attemptCount = outcome.failure ? source.attemptCount + 1 : 0;
    const isConfirming = running.trigger === 'manual' && held !== undefined;
    const next = running.again
      ? { atMs: nowMs, trigger: running.again }
      : nextSync(
          {
            startedAt: running.startedAtMs,
            finishedAt: nowMs,
            intervalMs,
            isRetried,
            attemptCount,
          },
          random,
        );
    const due = next && isRetried && isConfirming ? { ...next, trigger: 'manual' as const } : next;
    const lastSync = outcome.failure ? afterFailure(outcome, source) : afterSuccess(outcome, source);
    return {
      ...rest,
      attemptCount,
      ...(due ? { due } : {}),
      ...(held === undefined ? {} : { heldRevision: held }),
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

/** The revision that this sync may publish although it removes much; undefined: none. */
export function confirmedRevision(state: RegistryState, { storeId, source, trigger }: DueSync): string | undefined {
  return trigger === 'manual' ? state.stores[storeId]?.sources[source]?.heldRevision : undefined;
}

/** What is stored is marked by another filter than the one that is wanted now. */
export function isFilteredOtherwise(state: RegistryState, { storeId, source }: DueSync): boolean {
  const { lastSync } = state.stores[storeId]?.sources[source] ?? {};
  const wanted = state.desired?.sources.find(({ name }) => name === source)?.filterHash;
  return lastSync !== undefined && lastSync.filterHash !== wanted;
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

/** Numbers of the runs under way, to be cancelled when the registry is deleted. */
export function runningSyncs(state: RegistryState): { source: string; run: number }[] {
  return Object.values(state.stores).flatMap(({ sources }) =>
    Object.entries(sources).flatMap(([source, { running }]) => (running ? [{ source, run: running.run }] : [])),
  );
}

/** The store that the status speaks of: the one that opened last. */
function currentStore(state: RegistryState): StoreState | undefined {
  return Object.values(state.stores).reduce<StoreState | undefined>(
    (latest, store) => (latest && latest.openedAtMs >= store.openedAtMs ? latest : store),
    undefined,
  );
}

export function summarize(state: RegistryState): RegistryFacts {
  const { desired } = state;
  const store = currentStore(state);
  return dropUndefined({
    generation: desired?.generation ?? 0,
    deleting: desired?.deleting ?? false,
    invalid: desired?.invalid,
    notices: desired?.notices,
    serving: store !== undefined,
    handledTrigger: state.handledTrigger,
    sources: (desired?.sources ?? []).map((plan) => toFacts(plan, store)),
    server:
      desired?.provision && summarizeServer(state.registry, state.provisioning ?? NOT_PROVISIONED, desired.provision),
  });
}

function toFacts(plan: SourcePlan, store: StoreState | undefined): SourceFacts {
  const source = store?.sources[plan.name];
  const failure = source?.failure ?? store?.adoptionFailure;
  const notices = [plan.notice, source?.lastSync?.notice].filter((notice) => notice !== undefined);
  return dropUndefined({
    name: plan.name,
    builtIn: plan.builtIn,
    running: source?.running && {
      sinceMs: source.running.startedAtMs,
      manual: source.running.trigger === 'manual',
    },
    lastAttemptAtMs: source?.lastAttemptAtMs,
    attemptCount: source?.attemptCount ?? 0,
    lastSyncAtMs: source?.lastSync?.atMs,
    lastSyncHash: source?.lastSync?.hash,
    revision: source?.lastSync?.revision,
    serverCount: source?.lastSync?.servers,
    quarantined: source?.lastSync?.quarantined,
    quarantinedEntries: source?.lastSync?.quarantinedEntries,
    filterHash: source?.lastSync?.filterHash,
    notices: notices.length > 0 ? notices : undefined,
    failure: failure && { reason: failure.reason, message: failure.message },
    nextSyncAtMs: source?.due?.atMs,
  });
}

/** The status as it should be written now; undefined when it is written already or was written a moment ago. */
export function reportDue(state: RegistryState, nowMs: number): { digest: string; atMs: number } | undefined {
  if (!state.desired) return undefined;
  const digest = JSON.stringify(summarize(state));
  if (digest === state.report.digest) return undefined;
  return { digest, atMs: Math.max(nowMs, state.report.atMs + REPORT_SPACING_MS) };
}

/**
 * How long there is nothing to do unless something is heard; undefined: until then. While a report is being written
 * its end is what is waited for.
 */
export function untilNextDue(state: RegistryState, nowMs: number, reporting: boolean): number | undefined {
  const plan = wholePlanDigest(state);
  const report = reporting ? undefined : reportDue(state, nowMs);
  const times = Object.values(state.stores).flatMap((store) => {
    const sources = Object.values(store.sources);
    const deadlines = sources.flatMap(({ running }) => (running ? [running.deadlineMs] : []));
    if (plan === undefined || store.adopting) return deadlines;
    if (store.adoptedPlan !== plan) return [...deadlines, store.retryAdoptionAtMs ?? nowMs];
    return [...deadlines, ...sources.flatMap(({ due, running }) => (due && !running ? [due.atMs] : []))];
  });
  if (report) times.push(report.atMs);
  if (state.stale && state.retryReadAtMs !== undefined) times.push(state.retryReadAtMs);
  const retryAtMs = state.provisioning?.retryAtMs;
  if (retryAtMs !== undefined && state.desired?.invalid === undefined) times.push(retryAtMs);
  return times.length > 0 ? Math.max(0, Math.min(...times) - nowMs) : undefined;
}

function planDigest(plan: SourcePlan): string {
  return [plan.specHash, plan.filterHash, plan.referenceHash].join(' ');
}

function mapStores(state: RegistryState, change: (store: StoreState) => StoreState): RegistryState {
  return {
    ...state,
    stores: Object.fromEntries(Object.entries(state.stores).map(([id, store]) => [id, change(store)])),
  };
}

function mapSources(store: StoreState, change: (source: SourceState, name: string) => SourceState): StoreState {
  return {
    ...store,
    sources: Object.fromEntries(Object.entries(store.sources).map(([name, source]) => [name, change(source, name)])),
  };
}

function mapSource(
  state: RegistryState,
  storeId: string,
  name: string,
  change: (source: SourceState) => SourceState,
): RegistryState {
  return mapStores(state, (store) =>
    store.store.id === storeId ? mapSources(store, (source, each) => (each === name ? change(source) : source)) : store,
  );
}

function dropUndefined<T extends object>(value: { [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
