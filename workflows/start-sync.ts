import { ParentClosePolicy, startChild } from '@temporalio/workflow';
import { displayRef, syncWorkflowId } from '#domain/registry-ref.js';
import type { SyncRequest } from '#domain/sync.js';
import { SYNC_DEADLINE_MS } from './activity-options.js';
import type { syncSource } from './sync-source.workflow.js';

/**
 * Resolves when the server has the run. It tells its registry itself how it ended, which may be in another run of the workflow by
 * then; `ended` resolves when it has ended in any way, such as by termination.
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
