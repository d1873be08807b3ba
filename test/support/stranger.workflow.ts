import { ActivityFailure, ApplicationFailure, proxyActivities } from '@temporalio/workflow';

export interface Attack {
  readonly taskQueue: string;
  readonly activity: string;
  readonly payload: readonly unknown[];
}

/**
 * Schedules any activity on any queue, like everyone who may start a workflow in the namespace. Returns the message of
 * the failure.
 */
export async function stranger({ taskQueue, activity, payload }: Attack): Promise<string> {
  const activities = proxyActivities<Record<string, (...payload: unknown[]) => Promise<unknown>>>({
    taskQueue,
    startToCloseTimeout: '1m',
    heartbeatTimeout: '10s',
    retry: { maximumAttempts: 1 },
  });
  try {
    await activities[activity]!(...payload);
    return '';
  } catch (error) {
    if (error instanceof ActivityFailure && error.cause instanceof ApplicationFailure) return error.cause.message;
    throw error;
  }
}
