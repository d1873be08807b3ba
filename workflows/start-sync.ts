import { ParentClosePolicy, startChild } from '@temporalio/workflow';
import { displayRef, syncWorkflowId } from '#domain/registry-ref.js';
import type { SyncRequest } from '#domain/sync.js';
import { SYNC_DEADLINE_MS } from './activity-options.js';
import type { syncSource } from './sync-source.workflow.js';

/** Resolves when the server has the run; it tells its registry itself how it ended, which may be another run by then. */
export async function startSync(request: SyncRequest): Promise<void> {
  const { registry, source, address, run, trigger } = request;
  const of = displayRef(registry);
  await startChild<typeof syncSource>('syncSource', {
    workflowId: syncWorkflowId(registry, source, run),
    args: [request],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    workflowExecutionTimeout: SYNC_DEADLINE_MS,
    staticSummary: `${of}: ${source}, ${trigger}`,
    staticDetails: `Sync of \`${source}\` from ${address}, started by: ${trigger}`,
    memo: { registry: of, source, trigger },
  });
}
