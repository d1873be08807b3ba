import { Worker } from '@temporalio/worker';
import type { NativeConnection } from '@temporalio/worker';
import { provisionActivities, registryActivities } from '#activities/index.js';
import type { RegistryWorld } from '#activities/registry/registry-world.js';
import { runWorker } from '#temporal/running-worker.js';
import type { RunningWorker } from '#temporal/running-worker.js';
import { REGISTRY_TASK_QUEUE } from '#temporal/task-queues.js';
import { builtWorkflowBundle } from '#temporal/workflow-bundle.js';

export interface RegistryWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly identity: string;
  /** How long running tasks may go on after the end was asked for, and until they are given up. */
  readonly grace: { readonly softMs: number; readonly hardMs: number };
  readonly world: RegistryWorld;
  readonly taskQueue?: string;
}

/** Runs the workflows, and the activities that read resources, write their status and provision what they need. */
export async function startRegistryWorker(options: RegistryWorkerOptions): Promise<RunningWorker> {
  const { connection, namespace, identity, grace, world, taskQueue = REGISTRY_TASK_QUEUE } = options;
  return runWorker(
    await Worker.create({
      connection,
      namespace,
      identity,
      taskQueue,
      workflowBundle: builtWorkflowBundle(),
      activities: {
        ...registryActivities(world),
        ...(world.provisioning && provisionActivities({ resources: world.resources, ...world.provisioning })),
      },
      // Each takes some 300 KiB here and in Temporal's core; one that is not cached is replayed when it has something to do.
      maxCachedWorkflows: 500,
      // Who cannot follow its own history must not stand still for ever: it fails, and is begun anew.
      workflowFailureErrorTypes: { '*': ['NondeterminismError'] },
      // A worker that was killed holds its workflows back no longer than this.
      stickyQueueScheduleToStartTimeout: '2s',
      shutdownGraceTime: grace.softMs,
      shutdownForceTime: grace.hardMs,
    }),
  );
}
