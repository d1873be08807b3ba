import { ApplicationFailure, condition, log, setHandler } from '@temporalio/workflow';
import { syncWorkflowId } from '#domain/registry-ref.js';
import type { StartedSync, SyncNowRequest } from '#domain/server-messages.js';
import * as messages from './messages.js';
import type { RegistryLife } from './registry-life.js';
import { readShape } from './shapes.js';
import type { Reader } from './shapes.js';
import * as shapes from './signal-shapes.js';
import { summarize } from './state/facts.js';
import { storeDelayed, workloadSeen } from './state/provisioning.js';
import { openStores } from './state/registry-state.js';
import type { RegistryState } from './state/registry-state.js';
import { nudged } from './state/resource.js';
import { openStore } from './state/stores.js';
import { startedSince, syncRequested } from './state/syncs.js';

/**
 * Installs the message handlers. Each handler only replaces the state, which wakes the loop. A message of an unexpected
 * shape is ignored.
 */
export function handleMessages(life: RegistryLife): void {
  const now = (): number => life.runtime.nowMs();
  setHandler(
    messages.desiredStateChanged,
    ifShaped('desiredStateChanged', shapes.nudge, (nudge) => life.update((state) => nudged(state, nudge, now()))),
  );
  setHandler(
    messages.workloadChanged,
    ifShaped('workloadChanged', shapes.workload, (workload) =>
      life.updateProvisioning((known) => workloadSeen(known, workload)),
    ),
  );
  setHandler(
    messages.storeDelayed,
    ifShaped('storeDelayed', shapes.trouble, (trouble) =>
      life.updateProvisioning((known) => storeDelayed(known, trouble)),
    ),
  );
  setHandler(
    messages.storeOpened,
    ifShaped('storeOpened', shapes.store, (store) => life.update((state) => openStore(state, store, now()))),
  );
  setHandler(
    messages.syncFinished,
    ifShaped('syncFinished', shapes.outcome, (outcome) => life.settle(outcome)),
  );
  setHandler(messages.status, () => summarize(life.state));
  setHandler(messages.syncNow, (given) => syncNow(life, toRequest(given)), {
    validator: (given) => void requestedSources(life.state, toRequest(given)),
  });
}

function ifShaped<T>(signal: string, shape: Reader<T>, take: (value: T) => void) {
  return (given: unknown): void => {
    const value = readShape(shape, given);
    if (value === undefined) log.warn('malformed signal dropped', { signal });
    else take(value);
  };
}

/** Resolves when the requested syncs have started. Does not wait for a source that is removed in the meantime. */
async function syncNow(life: RegistryLife, request: SyncNowRequest): Promise<readonly StartedSync[]> {
  const sources = requestedSources(life.state, request);
  const firstRun = life.state.nextRun;
  life.update((state) => syncRequested(state, request, life.runtime.nowMs()));
  const wanted = (): string[] => sources.filter((name) => isPlanned(life.state, name));
  const begun = () => startedSince(life.state, wanted(), firstRun);
  const canStart = (): boolean => openStores(life.state).length > 0;
  await condition(() => !canStart() || begun()?.every(({ run }) => !life.starting.has(run)) === true);
  if (!canStart()) throw noStore();
  return (begun() ?? []).map(({ source, run }) => ({
    source,
    workflowId: syncWorkflowId(life.state.registry, source, run),
  }));
}

function toRequest(given: unknown): SyncNowRequest {
  const request = readShape(shapes.syncNowRequest, given);
  if (request) return request;
  throw ApplicationFailure.nonRetryable('the request is not a valid sync request', 'ValidationFailed');
}

function requestedSources(state: RegistryState, request: SyncNowRequest): string[] {
  const known = state.desired?.sources.map(({ name }) => name) ?? [];
  if (request.source !== undefined && !known.includes(request.source)) {
    throw ApplicationFailure.nonRetryable(`the registry has no source "${request.source}"`, 'ValidationFailed');
  }
  if (openStores(state).length === 0) throw noStore();
  return request.source === undefined ? known : [request.source];
}

function isPlanned({ desired }: RegistryState, source: string): boolean {
  return desired?.sources.some(({ name }) => name === source) === true;
}

function noStore(): ApplicationFailure {
  return ApplicationFailure.nonRetryable('no registry server is running that could sync', 'StoreLost');
}
