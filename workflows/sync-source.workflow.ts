import {
  ApplicationFailure,
  CancellationScope,
  getExternalWorkflowHandle,
  setCurrentDetails,
  upsertMemo,
} from '@temporalio/workflow';
import { displayRef, registryWorkflowId } from '#domain/registry-ref.js';
import { contentNotice } from '#domain/content-notice.js';
import { filtersFirst } from '#domain/sync.js';
import type { EntryCounts, SyncFailure, SyncOutcome, SyncRequest } from '#domain/sync.js';
import { readShape } from './shapes.js';
import { syncRequest } from './state-shape.js';
import { syncActivities } from './activity-options.js';
import { toSyncFailure } from './sync-failure.js';
import { syncFinished } from './messages.js';
import { describeOutcome } from './describe.js';

/**
 * One sync of one source: applies an edited filter to the stored entries, determines the current revision of the
 * source, imports it unless it is already stored, and reports to the registry.
 */
export async function syncSource(given: SyncRequest): Promise<SyncOutcome> {
  const request = readShape(syncRequest, given);
  if (!request) throw ApplicationFailure.nonRetryable('the input is not a valid sync request', 'ValidationFailed');
  const startedAt = Date.now();
  const { isRecorded = false, ...found } = await attempt(request).catch((error: unknown): Findings => ({
    failure: toSyncFailure(error),
  }));
  const { source, run, trigger, store, mayBeEmpty } = request;
  const times = { startedAt, finishedAt: Date.now() };
  const content = found.counts ?? found.stored;
  const notice = content && contentNotice(content, mayBeEmpty);
  const where = { storeId: store.id, taskQueue: store.taskQueue };
  const outcome: SyncOutcome = { source, run, trigger, ...where, ...times, ...found, ...(notice && { notice }) };

  setCurrentDetails(describeOutcome(outcome));
  if (outcome.counts || outcome.failure) {
    upsertMemo({ revision: outcome.revision, ...outcome.counts, failure: outcome.failure?.reason });
  }
  await CancellationScope.nonCancellable(() => tell(request, outcome, isRecorded));

  // A failed sync is a failed workflow, so that the list of workflows shows the history of the source.
  if (outcome.failure) throw toWorkflowFailure(outcome.failure);
  return outcome;
}

/** Returns a failure without a stack trace, because it is a result rather than a bug in this program. */
function toWorkflowFailure({ message, reason }: SyncFailure): ApplicationFailure {
  const failure = ApplicationFailure.nonRetryable(message, reason);
  failure.stack = '';
  return failure;
}

type Findings = Omit<
  SyncOutcome,
  'source' | 'run' | 'trigger' | 'storeId' | 'taskQueue' | 'startedAt' | 'finishedAt' | 'notice'
> & {
  /** Whether the store has already recorded the run. */
  readonly isRecorded?: boolean;
};

async function attempt(request: SyncRequest): Promise<Findings> {
  const { applyFilter, resolveRevision, importRevision } = syncActivities(request.store);
  // The filter determines what is served from now on, even if the source does not respond.
  let found: Findings = counted(filtersFirst(request) ? await applyFilter(request) : null);
  try {
    const resolved = await resolveRevision.executeWithOptions(
      { summary: `resolve the revision of ${request.source}` },
      [request],
    );
    const { revision, stored } = resolved;
    found = { ...found, revision };
    if (resolved.unchanged) return { ...found, ...(stored ? { stored } : {}), isRecorded: true };
    const imported = await importRevision.executeWithOptions({ summary: `import ${revision}` }, [request, resolved]);
    return { ...found, ...imported };
  } catch (error) {
    return { ...found, failure: toSyncFailure(error) };
  }
}

function counted(counts: EntryCounts | null): Findings {
  return counts ? { counts } : {};
}

/**
 * Reports the outcome. The registry comes first, because its schedule must continue even if the run cannot be recorded.
 */
async function tell(request: SyncRequest, outcome: SyncOutcome, isRecorded: boolean): Promise<void> {
  await getExternalWorkflowHandle(registryWorkflowId(request.registry))
    .signal(syncFinished, outcome)
    .catch(() => undefined); // The registry was deleted meanwhile, or looks for this run itself when it has ended.
  if (isRecorded || outcome.failure?.reason === 'StoreLost' || outcome.failure?.reason === 'Cancelled') return;
  const { recordSyncRun } = syncActivities(request.store);
  await recordSyncRun
    .executeWithOptions({ summary: `record run ${request.run} of ${displayRef(request.registry)}` }, [request, outcome])
    .catch(() => undefined); // The run is in Temporal's history in any case.
}
