import { sleep } from '@temporalio/workflow';

/** A workflow with the same name as ours that makes different decisions, as a faulty version could. */
export async function mcpRegistry(): Promise<void> {
  await sleep('1 hour');
}
