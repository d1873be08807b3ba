import { Worker } from '@temporalio/worker';
import type { NativeConnection } from '@temporalio/worker';
import { syncActivities } from '#activities/index.js';
import type { SyncWorld } from '#activities/sync/sync-world.js';
import type { Store } from '#domain/sync.js';
import { boundedPayloads } from '#temporal/bounded-payloads.js';
import { runWorker } from '#temporal/running-worker.js';
import type { RunningWorker } from '#temporal/running-worker.js';

export interface SyncWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly identity: string;
  /**
   * Time after a shutdown starts during which running tasks may continue (`softMs`), and after which they are abandoned
   * (`hardMs`).
   */
  readonly grace: { readonly softMs: number; readonly hardMs: number };
  readonly store: Store;
  readonly world: SyncWorld;
}

/**
 * Maximum concurrent activities. A task is taken immediately and waits inside its activity, because a task that no
 * worker takes means that the store is lost.
 */
const TASKS = 256;

/** Runs the sync activities of a store, but no workflows. */
export async function startSyncWorker(options: SyncWorkerOptions): Promise<RunningWorker> {
  const { connection, namespace, identity, grace, store, world } = options;
  return runWorker(
    await Worker.create({
      connection,
      namespace,
      identity,
      taskQueue: store.taskQueue,
      activities: { ...syncActivities(world) },
      dataConverter: { payloadCodecs: [boundedPayloads] },
      maxConcurrentActivityTaskExecutions: TASKS,
      maxConcurrentActivityTaskPolls: 2,
      shutdownGraceTime: grace.softMs,
      shutdownForceTime: grace.hardMs,
    }),
  );
}
