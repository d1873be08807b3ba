import {
  allHandlersFinished,
  ApplicationFailure,
  isCancellation,
  makeContinueAsNewFunc,
  setCurrentDetails,
  sleep,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import { registryWorkflowId } from '#domain/registry-ref.js';
import { STORES_MEMO } from '#domain/server-messages.js';
import { registryActivities } from './activity-options.js';
import { describeRegistry } from './describe.js';
import { handleMessages } from './handlers.js';
import { RegistryLife } from './registry-life.js';
import { readShape } from './shapes.js';
import { MEMO_KEYS, registryMemo, registryState } from './state-shape.js';
import { summarize } from './state/facts.js';
import { openStores } from './state/registry-state.js';
import type { RegistryState } from './state/registry-state.js';
import { runningSyncs } from './state/syncs.js';
import { toSyncFailure } from './sync-failure.js';
import { TASKS } from './tasks/index.js';
import { temporalRuntime } from './temporal-runtime.js';

/** Number of events after which a run continues as new. */
const MOST_EVENTS = 500;
const TEAR_DOWN_RETRY_MS = 15_000;

/**
 * The workflow of one MCPRegistry. Until the registry is deleted, it reads the desired state, provisions a server,
 * starts each sync when it is due, reports, and waits. The loop waits only for its own next due time: each task runs in
 * the background, and its result replaces the state, which wakes the loop.
 */
export async function mcpRegistry(given: RegistryState): Promise<void> {
  const initial = beginning(given);
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

/**
 * Validates the input of the workflow and returns a copy of it. Every client of the namespace can start such a
 * workflow, with any input. The copy is marked as stale, so the workflow reads the resource before anything else, and
 * completes at once if the registry does not exist.
 */
function beginning(given: unknown): RegistryState {
  const state = readShape(registryState, given);
  const { workflowId, memo = {} } = workflowInfo();
  const isOwn = state !== undefined && workflowId === registryWorkflowId(state.registry);
  if (isOwn && readShape(registryMemo, memo) && Object.keys(memo).every((key) => MEMO_KEYS.has(key))) {
    return { ...state, stale: true };
  }
  throw ApplicationFailure.nonRetryable(
    'the input is not a state of the registry in the id of this workflow',
    'ValidationFailed',
  );
}

/**
 * Continues as new with the current memo. Without it, servers would see no open store until the first task of the new
 * run.
 */
function continueLife(state: RegistryState): Promise<never> {
  return makeContinueAsNewFunc<typeof mcpRegistry>({ memo: workflowInfo().memo ?? {} })(state);
}

/** Publishes the open stores in the memo, where servers can check whether they are listed without a worker. */
function publishStores(state: RegistryState): void {
  const stores = openStores(state).map(({ store }) => store);
  if (JSON.stringify(workflowInfo().memo?.[STORES_MEMO] ?? []) === JSON.stringify(stores)) return;
  upsertMemo({ [STORES_MEMO]: stores });
}

/**
 * Returns whether a new run should start. After a crash, the worker that takes over the workflow replays its history,
 * and must finish within the timeout of a workflow task even on an overloaded machine. The state is small, so a new run
 * starts long before Temporal would suggest it.
 */
function isLong(): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength > MOST_EVENTS;
}

/**
 * Retries forever, because the cause of the failure may be gone tomorrow, and a remaining finalizer would block the
 * deletion of the resource. If the resource turns out to exist and not to be deleted, the workflow resumes.
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
