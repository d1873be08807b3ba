import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { ProvisionPlan } from '#activities/contract.js';
import { syncWorkflowId } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { StartedSync, SyncNowRequest } from '#domain/server-messages.js';
import type { SyncOutcome } from '#domain/sync.js';
import {
  provisionActivities,
  registryActivities,
  reportStatus,
  SYNC_DEADLINE_MS,
  syncActivities,
} from './activity-options.js';
import { describeRegistry } from './describe.js';
import {
  desiredStateChanged,
  liveStores,
  status,
  storeDelayed,
  storeOpened,
  syncFinished,
  syncNow,
  workloadChanged,
} from './messages.js';
import { startSync } from './start-sync.js';
import { dueSyncs, untilNextDue } from './state/agenda.js';
import { reportDue, summarize } from './state/facts.js';
import * as provisioning from './state/provisioning.js';
import type { ProvisioningState } from './state/provisioning.js';
import { openStores } from './state/registry-state.js';
import type { RegistryState, StoreState } from './state/registry-state.js';
import { adopted, noticed, readDue, readFailed } from './state/resource.js';
import {
  adoptionSettled,
  adoptionStarted,
  gone,
  opened,
  storesToAdopt,
  untaken,
  wholePlanDigest,
} from './state/stores.js';
import type { Memory } from './state/stores.js';
import {
  overdue,
  runningSyncs,
  settled,
  started,
  startedSince,
  supersededSyncs,
  syncRequested,
  toSyncRequest,
} from './state/syncs.js';
import type { DueSync } from './state/syncs.js';
import { toSyncFailure } from './sync-failure.js';

/** A patch: what there is to do when one store is lost and others are not, and when it comes back. */
const ONE_OF_MANY = 'one-of-many';

/** Of one run. */
const MOST_EVENTS = 500;
const TEAR_DOWN_RETRY_MS = 15_000;

/**
 * The life of one MCPRegistry: read what is wanted, provision a server for it, start every sync when it is due, report,
 * wait; until it is deleted. Nothing in it waits for anything but its own next due time: reading, provisioning, adopting
 * and reporting go on in the background, and whatever finishes replaces `state`, which is what wakes the loop.
 */
export async function mcpRegistry(initial: RegistryState): Promise<void> {
  let state = initial;
  const { registry } = initial;
  const background = new Set<string>();
  /** Runs that were asked of the server, which has not said yet that they are there. */
  const starting = new Set<number>();
  /** Runs that were asked to end. */
  const ending = new Set<number>();

  const inBackground = (task: string, work: () => Promise<void>): void => {
    if (background.has(task)) return;
    background.add(task);
    void work().finally(() => {
      background.delete(task);
      state = { ...state };
    });
  };

  const serverIs = (next: (known: ProvisioningState) => ProvisioningState): void => {
    const known = state.provisioning ?? provisioning.NOT_PROVISIONED;
    const changed = next(known);
    if (changed !== known) state = { ...state, provisioning: changed };
  };

  setHandler(desiredStateChanged, ({ drift }) => {
    state = noticed(state);
    if (drift) serverIs(provisioning.driftNoticed);
  });
  setHandler(workloadChanged, (workload) => serverIs((known) => provisioning.workloadSeen(known, workload)));
  setHandler(storeDelayed, (trouble) => serverIs((known) => provisioning.storeDelayed(known, trouble)));
  setHandler(storeOpened, (store) => void (state = opened(state, store, Date.now(), patched(ONE_OF_MANY))));
  setHandler(syncFinished, (outcome) => void (state = heard(state, outcome)));
  setHandler(status, () => summarize(state));
  setHandler(liveStores, () => openStores(state).map(({ store }) => store));
  setHandler(
    syncNow,
    async (request) => {
      const sources = requestedSources(state, request);
      const firstRun = state.nextRun;
      state = syncRequested(state, request, Date.now());
      // Earlier workflows answered as soon as they had asked for the syncs, which then could not be found yet.
      const isThere = patched('answer-once-started') ? (run: number) => !starting.has(run) : () => true;
      // Earlier ones waited for ever for a source that was removed meanwhile.
      const isWanted = patched('forget-removed') ? (name: string) => hasSource(state, name) : () => true;
      const begun = () => startedSince(state, sources.filter(isWanted), firstRun);
      // Earlier ones waited for a store to come back, however long that took.
      const canStart = patched(ONE_OF_MANY) ? () => openStores(state).length > 0 : () => true;
      await condition(() => !canStart() || begun()?.every(({ run }) => isThere(run)) === true);
      if (!canStart()) throw nobodySyncs();
      return (begun() ?? []).map(({ source, run }): StartedSync => ({
        source,
        workflowId: syncWorkflowId(registry, source, run),
      }));
    },
    { validator: (request) => void requestedSources(state, request) },
  );

  while (!state.gone && !state.desired?.deleting) {
    const seen = state;
    if (readDue(state, Date.now())) inBackground('read', read);
    const wanted = state.desired?.invalid === undefined ? state.desired?.provision : undefined;
    if (wanted && provisioning.provisionDue(state.provisioning ?? provisioning.NOT_PROVISIONED, wanted, Date.now())) {
      inBackground('provision', () => provision(wanted));
    }
    for (const outcome of overdue(state, Date.now())) state = heard(state, outcome);
    for (const store of storesToAdopt(state, Date.now())) {
      // Earlier workflows waited for the server that had the store before to be told, or for that to fail.
      const isOfServer = patched('adopt-by-server');
      const { id, taskQueue } = store.store;
      inBackground(isOfServer ? `adopt ${id} ${taskQueue}` : `adopt ${id}`, () => adopt(store, isOfServer));
    }
    await Promise.all(dueSyncs(state, Date.now()).map(start));
    for (const { source, run } of supersededSyncs(state)) {
      if (!ending.has(run)) inBackground(`end ${run}`, () => end(source, run));
    }
    if ((reportDue(state, Date.now())?.atMs ?? Infinity) <= Date.now()) inBackground('report', report);
    setCurrentDetails(describeRegistry(summarize(state)));

    const mayContinue = () => background.size === 0 && allHandlersFinished();
    if (isLong() && mayContinue()) await continueAsNew<typeof mcpRegistry>(state);
    const dueIn = untilNextDue(state, Date.now(), background.has('report'));
    if (state === seen) await wait(() => state !== seen, dueIn);
  }

  await cancelRunning(state);
  await reportStatus(registry, { ...summarize(state), deleting: true }).catch(() => undefined);
  await tearDown();

  async function read(): Promise<void> {
    state = { ...state, stale: false };
    try {
      const desired = await registryActivities.readDesiredState(registry);
      state = adopted(state, desired, Date.now(), patched('end-superseded'));
    } catch {
      // What was heard meanwhile is reason enough to try at once.
      if (!state.stale) state = readFailed(state, Date.now());
    }
  }

  /** Whoever forbids it today may allow it tomorrow: a finalizer that stayed would keep the resource for ever. */
  async function tearDown(): Promise<void> {
    for (;;) {
      try {
        return await registryActivities.tearDown(registry);
      } catch (error) {
        if (isCancellation(error)) throw error;
        // The resource is there after all: it was read wrongly, or the deletion was meant for another.
        if (toSyncFailure(error).reason === 'Cancelled') {
          const { gone: _gone, desired: _desired, ...living } = state;
          await continueAsNew<typeof mcpRegistry>({ ...living, stale: true });
        }
        await sleep(TEAR_DOWN_RETRY_MS);
        if (isLong()) await continueAsNew<typeof mcpRegistry>(state);
      }
    }
  }

  async function provision(plan: ProvisionPlan): Promise<void> {
    serverIs((known) => provisioning.provisionStarted(known, plan));
    try {
      await provisionActivities.ensureConfig(registry);
      await provisionActivities.ensureAccess(registry);
      await provisionActivities.ensureSecrets(registry);
      const deployed = await provisionActivities.ensureDeployment(registry);
      await provisionActivities.ensureService(registry);
      serverIs((known) => provisioning.provisioned(known, plan.digest, deployed));
    } catch (error) {
      const failure = toSyncFailure(error, 'the API server of the cluster took too long to answer');
      serverIs((known) => provisioning.provisionFailed(known, failure, Date.now(), Math.random()));
    }
  }

  async function adopt({ store, openedAtMs }: StoreState, isOfServer: boolean): Promise<void> {
    const plan = wholePlanDigest(state);
    const { id, taskQueue } = store;
    const told = isOfServer ? store : { id };
    state = adoptionStarted(state, id);
    try {
      await syncActivities(store).adoptPlan(registry, state.desired?.generation ?? 0);
      state = adoptionSettled(state, told, plan, Date.now());
    } catch (error) {
      if (!isOfServer) return void (state = adoptionSettled(state, told, undefined, Date.now()));
      const failure = toSyncFailure(error, 'the registry server took too long to take the sources over');
      const isBack = state.stores[id]?.store.taskQueue === taskQueue && state.stores[id].openedAtMs !== openedAtMs;
      // It was down, and is to be told now that it is back.
      if (isBack && failure.reason === 'StoreLost' && memory() !== 'of none') return;
      // An edit is on its way to a server that sees it by its volume: that is no failure yet.
      const isTold = failure.reason !== 'ConfigurationPending';
      state = adoptionSettled(state, told, undefined, Date.now(), isTold ? failure : undefined);
      const isUntaken = failure.reason === 'StoreLost' && state.stores[id]?.store.taskQueue === taskQueue;
      if (isUntaken) state = gone(state, id, memory());
    }
  }

  async function start(sync: DueSync): Promise<void> {
    const run = state.nextRun;
    const request = toSyncRequest(state, sync);
    if (!request) return;
    state = started(state, sync, Date.now(), Date.now() + SYNC_DEADLINE_MS);
    starting.add(run);
    try {
      await startSync(request);
    } catch (error) {
      const { source, trigger, storeId } = sync;
      const times = { startedAt: Date.now(), finishedAt: Date.now() };
      state = heard(state, { source, run, trigger, storeId, ...times, failure: toSyncFailure(error) });
    } finally {
      starting.delete(run);
    }
  }

  /** It tells how it ended, as it would anyway. */
  async function end(source: string, run: number): Promise<void> {
    ending.add(run);
    await cancelSync(registry, source, run);
  }

  async function report(): Promise<void> {
    const facts = summarize(state);
    const written = await reportStatus(registry, facts).then(
      () => JSON.stringify(facts),
      () => '', // Due again after the usual pause.
    );
    state = { ...state, report: { digest: written, atMs: Date.now() } };
  }
}

/**
 * Whoever takes the workflow over after a crash replays its history, and must be done within a workflow task's time-out
 * even on a crowded machine: the state is small, so a new run is begun long before Temporal would suggest it.
 */
function isLong(): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength > MOST_EVENTS;
}

/** A store that took no task is gone; anything else is the outcome of a run. */
function heard(state: RegistryState, outcome: SyncOutcome): RegistryState {
  const next = settled(state, outcome, Date.now(), Math.random());
  return outcome.failure?.reason === 'StoreLost' ? untaken(next, outcome, Date.now(), memory()) : next;
}

/**
 * Earlier workflows forgot what they knew of a store that was gone, and whether it had come back meanwhile; then came those
 * that went on to speak of it while others were there.
 */
function memory(): Memory {
  if (!patched('keep-lost')) return 'of none';
  return patched(ONE_OF_MANY) ? 'of the last' : 'of all';
}

function requestedSources(state: RegistryState, request: SyncNowRequest): string[] {
  const known = state.desired?.sources.map(({ name }) => name) ?? [];
  if (request.source !== undefined && !known.includes(request.source)) {
    throw ApplicationFailure.nonRetryable(`the registry has no source "${request.source}"`, 'ValidationFailed');
  }
  if (openStores(state).length === 0) {
    throw nobodySyncs();
  }
  return request.source === undefined ? known : [request.source];
}

function nobodySyncs(): ApplicationFailure {
  return ApplicationFailure.nonRetryable('no registry server is running that could sync', 'StoreLost');
}

function hasSource({ desired }: RegistryState, source: string): boolean {
  return desired?.sources.some(({ name }) => name === source) === true;
}

async function wait(changed: () => boolean, timeoutMs: number | undefined): Promise<void> {
  if (timeoutMs === undefined) await condition(changed);
  else await condition(changed, Math.max(1, timeoutMs));
}

async function cancelRunning(state: RegistryState): Promise<void> {
  await Promise.all(runningSyncs(state).map(({ source, run }) => cancelSync(state.registry, source, run)));
}

/** One that has ended already cannot be. */
async function cancelSync(registry: RegistryRef, source: string, run: number): Promise<void> {
  await getExternalWorkflowHandle(syncWorkflowId(registry, source, run))
    .cancel()
    .catch(() => undefined);
}
