import { Worker } from '@temporalio/worker';
import type { NativeConnection } from '@temporalio/worker';
import { syncActivities } from '#activities/index.js';
import type { SyncWorld } from '#activities/sync/sync-world.js';
import type { Store } from '#domain/sync.js';
import { runWorker } from '#temporal/running-worker.js';
import type { RunningWorker } from '#temporal/running-worker.js';

export interface SyncWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly identity: string;
  /** How long running tasks may go on after a shutdown begins, and when they are given up. */
  readonly grace: { readonly softMs: number; readonly hardMs: number };
  readonly store: Store;
  readonly world: SyncWorld;
}

/** Activities at the same time: a task is taken at once and waits inside its activity, since a task that no worker takes means a lost store. */
const TASKS = 256;

/** Runs the sync activities of a store, and no workflows. */
export async function startSyncWorker(options: SyncWorkerOptions): Promise<RunningWorker> {
  const { connection, namespace, identity, grace, store, world } = options;
  return runWorker(
    await Worker.create({
      connection,
      namespace,
      identity,
      taskQueue: store.taskQueue,
      activities: { ...syncActivities(world) },
      maxConcurrentActivityTaskExecutions: TASKS,
      maxConcurrentActivityTaskPolls: 2,
      shutdownGraceTime: grace.softMs,
      shutdownForceTime: grace.hardMs,
    }),
  );
}
