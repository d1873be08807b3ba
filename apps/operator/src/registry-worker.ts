import { Worker } from '@temporalio/worker';
import type { NativeConnection } from '@temporalio/worker';
import { provisionActivities, registryActivities } from '#activities/index.js';
import type { RegistryWorld } from '#activities/registry/registry-world.js';
import { runWorker } from '#temporal/running-worker.js';
import type { RunningWorker } from '#temporal/running-worker.js';
import { builtWorkflowBundle } from '#temporal/workflow-bundle.js';

export interface RegistryWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly identity: string;
  /** How long running tasks may go on after a shutdown began, and until they are abandoned. */
  readonly grace: { readonly softMs: number; readonly hardMs: number };
  readonly world: RegistryWorld;
  readonly taskQueue: string;
}

/** Starts the worker of the workflows and of the activities that read registries, write their status and provision them. */
export async function startRegistryWorker(options: RegistryWorkerOptions): Promise<RunningWorker> {
  const { connection, namespace, identity, grace, world, taskQueue } = options;
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
      // Each takes some 300 KiB here and in Temporal's core; one that is not cached is replayed when it has a task.
      maxCachedWorkflows: 500,
      // A workflow that cannot go on, for whatever error, fails rather than stand still: the sweep starts it again.
      workflowFailureErrorTypes: { '*': ['Error'] },
      // How long a worker that was killed delays its workflows.
      stickyQueueScheduleToStartTimeout: '2s',
      shutdownGraceTime: grace.softMs,
      shutdownForceTime: grace.hardMs,
    }),
  );
}
