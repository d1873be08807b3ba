import type { Client } from '@temporalio/client';
import type { RegistryFacts } from '#domain/status/registry-facts.js';
import { displayRef, registryOfWorkflow, registryWorkflowId } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { WorkloadFacts } from '#domain/workload.js';
import { ServedWorkflows, unlessNotFound } from '#temporal/served-workflows.js';
import { desiredStateChanged, status, workloadChanged } from '#workflows/messages.js';
import type { Nudge } from '#workflows/messages.js';
import type { mcpRegistry } from '#workflows/mcp-registry.workflow.js';
import { newRegistryState } from '#workflows/state/registry-state.js';

/** Statuses of a workflow that was closed before its work was done. */
const INTERRUPTED: ReadonlySet<string> = new Set(['FAILED', 'TERMINATED', 'CANCELLED', 'TIMED_OUT']);

/** Value of TASK_QUEUE_TYPE_WORKFLOW in Temporal's API. */
const WORKFLOW_TASKS = 1;

/** The workflows of MCPRegistries, as seen by their operator. */
export class RegistryWorkflows extends ServedWorkflows {
  constructor(
    client: Client,
    private readonly taskQueue: string,
  ) {
    super(client);
  }

  /**
   * Starts the workflow of a registry, or nudges the running one. Idempotent. `isFirst` says that the registry has had
   * no workflow before. A later workflow finds out everything that an earlier one knew except the run numbers, so its
   * own runs start at a much higher number.
   */
  async nudge(registry: RegistryRef, nudge: Nudge, { isFirst = true } = {}): Promise<void> {
    const state = newRegistryState(registry);
    const nextRun = isFirst ? state.nextRun : Math.floor(Date.now() / 1000);
    await this.client.workflow.signalWithStart<typeof mcpRegistry, [Nudge]>('mcpRegistry', {
      workflowId: registryWorkflowId(registry),
      taskQueue: this.taskQueue,
      args: [{ ...state, nextRun }],
      signal: desiredStateChanged,
      signalArgs: [nudge],
      memo: { registry: displayRef(registry) },
      staticSummary: `MCPRegistry ${displayRef(registry)}`,
      staticDetails: `Keeps the sources of MCPRegistry \`${displayRef(registry)}\` in sync until it is deleted.`,
    });
  }

  /**
   * Restarts the workflow of an existing registry if it failed, was terminated, or was lost with Temporal's data. A
   * workflow that completed regularly, with its registry, is not restarted.
   */
  async revive(registry: RegistryRef): Promise<void> {
    const status = await this.statusOf(registry);
    if (status !== undefined && !INTERRUPTED.has(status)) return;
    await this.nudge(registry, { generation: 0 }, { isFirst: false });
  }

  /** Nudges the workflow if there is one. Unlike {@link nudge}, never starts one. */
  async lookAgain(registry: RegistryRef): Promise<void> {
    await this.handle(registry).signal(desiredStateChanged, { generation: 0 }).catch(unlessNotFound(undefined));
  }

  /** Lists the registries whose workflows run on this task queue. Temporal's list is slightly out of date. */
  async *running(): AsyncGenerator<RegistryRef> {
    const query = `WorkflowType = 'mcpRegistry' AND ExecutionStatus = 'Running' AND TaskQueue = '${this.taskQueue}'`;
    for await (const { workflowId } of this.client.workflow.list({ query })) {
      const registry = registryOfWorkflow(workflowId);
      if (registry) yield registry;
    }
  }

  /**
   * Returns whether a worker serves the workflow of a registry. Terminates a workflow whose task queue has no workers
   * because its operator was another release, so that the next nudge starts one on this operator's queue.
   */
  async isServed(registry: RegistryRef): Promise<boolean> {
    const workflow = await this.handle(registry).describe().catch(unlessNotFound(undefined));
    if (workflow?.status.name !== 'RUNNING') return false;
    const { taskQueue } = workflow;
    if (taskQueue === this.taskQueue || (await this.hasWorkers(taskQueue))) return true;
    const reason = `no worker polls its task queue ${taskQueue}: continued on ${this.taskQueue}`;
    await this.handle(registry).terminate(reason).catch(unlessNotFound(undefined));
    return false;
  }

  /**
   * Returns whether a task queue has workers. Temporal remembers a worker for minutes after its last poll, so a
   * restarting operator still counts.
   */
  private async hasWorkers(taskQueue: string): Promise<boolean> {
    const { namespace } = this.client.options;
    const { pollers } = await this.client.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: WORKFLOW_TASKS,
    });
    return (pollers?.length ?? 0) > 0;
  }

  /** Returns the status of the workflow in Temporal's terms; undefined if there is no workflow. */
  private async statusOf(registry: RegistryRef): Promise<string | undefined> {
    return (await this.handle(registry).describe().catch(unlessNotFound(undefined)))?.status.name;
  }

  /** Signals the state of the registry's Deployment to its workflow, if there is one. Idempotent. */
  async workloadChanged(registry: RegistryRef, workload: WorkloadFacts): Promise<void> {
    await this.handle(registry).signal(workloadChanged, workload).catch(unlessNotFound(undefined));
  }

  /** Returns the facts that the workflow knows about its registry; undefined if there is no workflow. */
  async findFacts(registry: RegistryRef): Promise<RegistryFacts | undefined> {
    return this.handle(registry).query(status).catch(unlessNotFound(undefined));
  }
}
