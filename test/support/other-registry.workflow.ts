import { sleep } from '@temporalio/workflow';

/** Has the name of ours and takes other decisions, as a version with a fault in it could. */
export async function mcpRegistry(): Promise<void> {
  await sleep('1 hour');
}
