import type { Connection } from '@temporalio/client';
import { msToTs, optionalTsToMs } from '@temporalio/common/lib/time.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Sets how long a namespace keeps closed workflows. Returns whether the setting had to be changed. */
export async function ensureRetention(connection: Connection, namespace: string, days: number): Promise<boolean> {
  const { workflowService } = connection;
  const { config } = await workflowService.describeNamespace({ namespace });
  if (optionalTsToMs(config?.workflowExecutionRetentionTtl) === days * DAY_MS) return false;
  await workflowService.updateNamespace({
    namespace,
    config: { workflowExecutionRetentionTtl: msToTs(days * DAY_MS) },
  });
  return true;
}
