import { ParentClosePolicy, startChild } from '@temporalio/workflow';
import { displayRef, syncWorkflowId } from '#domain/registry-ref.js';
import type { SyncRequest } from '#domain/sync.js';
import { SYNC_DEADLINE_MS } from './activity-options.js';
import type { syncSource } from './sync-source.workflow.js';

/**
 * Starts a sync. Resolves when the server has the run. The run itself reports its outcome to its registry, possibly to
 * a later run of the workflow. `ended` resolves when the run has ended for any reason, such as termination.
 */
export async function startSync(request: SyncRequest): Promise<{ readonly ended: Promise<void> }> {
  const { registry, source, address, run, trigger } = request;
  const name = displayRef(registry);
  const child = await startChild<typeof syncSource>('syncSource', {
    workflowId: syncWorkflowId(registry, source, run),
    args: [request],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    workflowExecutionTimeout: SYNC_DEADLINE_MS,
    staticSummary: `${name}: ${source}, ${trigger}`,
    staticDetails: `Sync of \`${source}\` from ${address}, started by: ${trigger}`,
    memo: { registry: name, source, trigger },
  });
  const ended = child.result().then(
    () => undefined,
    () => undefined,
  );
  return { ended };
}
