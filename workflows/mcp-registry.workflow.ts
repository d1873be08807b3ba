import {
  allHandlersFinished,
  isCancellation,
  makeContinueAsNewFunc,
  setCurrentDetails,
  sleep,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import { STORES_MEMO } from '#domain/server-messages.js';
import { registryActivities } from './activity-options.js';
import { describeRegistry } from './describe.js';
import { handleMessages } from './handlers.js';
import { RegistryLife } from './registry-life.js';
import { summarize } from './state/facts.js';
import { openStores } from './state/registry-state.js';
import type { RegistryState } from './state/registry-state.js';
import { runningSyncs } from './state/syncs.js';
import { toSyncFailure } from './sync-failure.js';
import { TASKS } from './tasks/index.js';
import { temporalRuntime } from './temporal-runtime.js';

/** A run with more events than this continues as new. */
const MOST_EVENTS = 500;
const TEAR_DOWN_RETRY_MS = 15_000;

/**
 * The life of one MCPRegistry: read what is wanted, provision a server for it, start every sync when it is due, report,
 * wait; until it is deleted. Nothing in it waits for anything but its own next due time: each task runs in the background,
 * and what finishes replaces the state, which wakes the loop.
 */
export async function mcpRegistry(initial: RegistryState): Promise<void> {
  const life = new RegistryLife(initial, temporalRuntime(initial.registry));
  handleMessages(life);
  while (!life.isOver) {
    const seen = life.state;
    life.startDue(TASKS);
    setCurrentDetails(describeRegistry(summarize(life.state)));
    publishStores(life.state);
    if (isLong() && life.isIdle && allHandlersFinished()) await continueLife(life.state);
    await life.untilNews(seen);
  }
  await Promise.all(runningSyncs(life.state).map((run) => life.runtime.cancelSync(run)));
  await life.runtime.registry
    .reportStatus(initial.registry, { ...summarize(life.state), deleting: true })
    .catch(() => undefined);
  await tearDown(life.state);
}

/** Continues as new with the memo as it is: without it, servers would see no open store until the first task of the new run. */
function continueLife(state: RegistryState): Promise<never> {
  return makeContinueAsNewFunc<typeof mcpRegistry>({ memo: workflowInfo().memo ?? {} })(state);
}

/** Keeps the open stores in the memo, where servers look for themselves without asking a worker. */
function publishStores(state: RegistryState): void {
  const stores = openStores(state).map(({ store }) => store);
  if (JSON.stringify(workflowInfo().memo?.[STORES_MEMO] ?? []) === JSON.stringify(stores)) return;
  upsertMemo({ [STORES_MEMO]: stores });
}

/**
 * After a crash, the worker that picks up the workflow replays its history, and must finish within a workflow task's time-out
 * even on a crowded machine: the state is small, so a new run starts long before Temporal would suggest it.
 */
function isLong(): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength > MOST_EVENTS;
}

/**
 * Retries forever: what forbids it today may allow it tomorrow, and a finalizer that stayed would keep the resource. A resource
 * that turns out to be there, and not under deletion, is taken care of again.
 */
async function tearDown(state: RegistryState): Promise<void> {
  for (;;) {
    try {
      return await registryActivities.tearDown(state.registry);
    } catch (error) {
      if (isCancellation(error)) throw error;
      if (toSyncFailure(error).reason === 'Cancelled') {
        const { gone: _gone, desired: _desired, ...living } = state;
        await continueLife({ ...living, stale: true });
      }
      await sleep(TEAR_DOWN_RETRY_MS);
      if (isLong()) await continueLife(state);
    }
  }
}
