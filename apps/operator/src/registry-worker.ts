import { Worker } from '@temporalio/worker';
import type { NativeConnection } from '@temporalio/worker';
import { provisionActivities, registryActivities } from '#activities/index.js';
import type { RegistryWorld } from '#activities/registry/registry-world.js';
import { boundedPayloads } from '#temporal/bounded-payloads.js';
import { runWorker } from '#temporal/running-worker.js';
import type { RunningWorker } from '#temporal/running-worker.js';
import { builtWorkflowBundle } from '#temporal/workflow-bundle.js';

export interface RegistryWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly identity: string;
  /**
   * Time after a shutdown starts during which running tasks may continue (`softMs`), and after which they are abandoned
   * (`hardMs`).
   */
  readonly grace: { readonly softMs: number; readonly hardMs: number };
  readonly world: RegistryWorld;
  readonly taskQueue: string;
  /**
   * Number of workflows cached. Each takes some 300 KiB here and in Temporal's core. A workflow that is not cached is
   * replayed for each of its tasks.
   */
  readonly cachedWorkflows?: number;
}

/** Default number of workflows that a process keeps in memory. */
export const CACHED_WORKFLOWS = 500;

/**
 * Maximum number of workflow tasks at the same time. The bound is low because each task may hold a foreign payload of 2
 * MiB, in several copies, until the payload has been checked.
 */
const WORKFLOW_TASKS = 10;

/** Starts the worker of the workflows and of the activities that read registries, write their status and provision them. */
export async function startRegistryWorker(options: RegistryWorkerOptions): Promise<RunningWorker> {
  const { connection, namespace, identity, grace, world, taskQueue, cachedWorkflows = CACHED_WORKFLOWS } = options;
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
      dataConverter: { payloadCodecs: [boundedPayloads] },
      maxConcurrentWorkflowTaskExecutions: WORKFLOW_TASKS,
      maxCachedWorkflows: cachedWorkflows,
      // Let a workflow fail on any error that stops it instead of getting stuck, because the sweep restarts a failed
      // workflow.
      workflowFailureErrorTypes: { '*': ['Error'] },
      // Maximum delay of the workflows of a worker that was killed.
      stickyQueueScheduleToStartTimeout: '2s',
      shutdownGraceTime: grace.softMs,
      shutdownForceTime: grace.hardMs,
    }),
  );
}
