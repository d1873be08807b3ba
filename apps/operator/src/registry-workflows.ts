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

/** How a workflow ends that still had something to do. */
const INTERRUPTED: ReadonlySet<string> = new Set(['FAILED', 'TERMINATED', 'CANCELLED', 'TIMED_OUT']);

/** TASK_QUEUE_TYPE_WORKFLOW of Temporal's API. */
const WORKFLOW_TASKS = 1;

/** The workflows of MCPRegistries as their operator sees them. */
export class RegistryWorkflows extends ServedWorkflows {
  constructor(
    client: Client,
    private readonly taskQueue: string,
  ) {
    super(client);
  }

  /**
   * Starts the workflow of a registry, or tells the running one to look again. Idempotent. `isFirst` says that the registry
   * has had no workflow before: the next one learns again what an earlier one knew, except for the numbers of its runs, so
   * its own runs begin far beyond them.
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
   * Restarts the workflow of a registry that exists, if it failed, was terminated, or was lost with Temporal's data. One that
   * ended as it should, with its registry, stays ended.
   */
  async revive(registry: RegistryRef): Promise<void> {
    const status = await this.statusOf(registry);
    if (status !== undefined && !INTERRUPTED.has(status)) return;
    await this.nudge(registry, { generation: 0 }, { isFirst: false });
  }

  /** Tells the workflow, if there is one, to look again; unlike {@link nudge}, it starts none. */
  async lookAgain(registry: RegistryRef): Promise<void> {
    await this.handle(registry).signal(desiredStateChanged, { generation: 0 }).catch(unlessNotFound(undefined));
  }

  /** Lists the registries whose workflows run on this task queue. Temporal's list lags by a moment. */
  async *running(): AsyncGenerator<RegistryRef> {
    const query = `WorkflowType = 'mcpRegistry' AND ExecutionStatus = 'Running' AND TaskQueue = '${this.taskQueue}'`;
    for await (const { workflowId } of this.client.workflow.list({ query })) {
      const registry = registryOfWorkflow(workflowId);
      if (registry) yield registry;
    }
  }

  /**
   * Returns whether a worker serves the workflow of a registry. A workflow on a task queue without workers, whose operator was
   * another release, is terminated, so that the next nudge starts one on this operator's queue.
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

  /** Temporal remembers a worker for minutes after its last poll, so an operator that restarts is not taken for gone. */
  private async hasWorkers(taskQueue: string): Promise<boolean> {
    const { namespace } = this.client.options;
    const { pollers } = await this.client.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: WORKFLOW_TASKS,
    });
    return (pollers?.length ?? 0) > 0;
  }

  /** Returns the status of the workflow as Temporal calls it; undefined when there is none. */
  private async statusOf(registry: RegistryRef): Promise<string | undefined> {
    return (await this.handle(registry).describe().catch(unlessNotFound(undefined)))?.status.name;
  }

  /** Tells the workflow, if there is one, what is seen of the registry's Deployment. Idempotent. */
  async workloadChanged(registry: RegistryRef, workload: WorkloadFacts): Promise<void> {
    await this.handle(registry).signal(workloadChanged, workload).catch(unlessNotFound(undefined));
  }

  /** Returns what the workflow knows of its registry; undefined when there is none. */
  async findFacts(registry: RegistryRef): Promise<RegistryFacts | undefined> {
    return this.handle(registry).query(status).catch(unlessNotFound(undefined));
  }
}
