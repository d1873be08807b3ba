import type { Client } from '@temporalio/client';
import type { RegistryFacts } from '#domain/status/registry-facts.js';
import { displayRef, registryOfWorkflow, registryWorkflowId } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { WorkloadFacts } from '#domain/workload.js';
import { ServedWorkflows, unlessNotFound } from '#temporal/served-workflows.js';
import { REGISTRY_TASK_QUEUE } from '#temporal/task-queues.js';
import { desiredStateChanged, status, workloadChanged } from '#workflows/messages.js';
import type { Nudge } from '#workflows/messages.js';
import type { mcpRegistry } from '#workflows/mcp-registry.workflow.js';
import { newRegistryState } from '#workflows/state/registry-state.js';

/** How a workflow ends that still has something to do. */
const BROKEN_OFF: ReadonlySet<string> = new Set(['FAILED', 'TERMINATED', 'CANCELLED', 'TIMED_OUT']);

/** The workflows of MCPRegistries as seen from outside. */
export class RegistryWorkflows extends ServedWorkflows {
  constructor(
    client: Client,
    private readonly taskQueue = REGISTRY_TASK_QUEUE,
  ) {
    super(client);
  }

  /**
   * Starts the workflow of a resource, or tells the running one to look again. Safe to repeat, from several places. `isFirst`: it
   * has had none before. One that has: what the earlier one knew is read again or learnt anew; only the numbers of its runs are
   * gone, so the new ones begin far beyond them.
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
   * Begins a workflow anew that could not go on: it failed because it cannot follow its own history, or somebody has
   * ended it. One that ended as it should, with its resource, stays ended.
   */
  async revive(registry: RegistryRef): Promise<void> {
    const status = await this.statusOf(registry);
    if (status === undefined || !BROKEN_OFF.has(status)) return;
    await this.nudge(registry, { generation: 0 }, { isFirst: false });
  }

  /** Tells the workflow, if there is one, to look again; in contrast to {@link nudge} it starts none. */
  async lookAgain(registry: RegistryRef): Promise<void> {
    await this.handle(registry).signal(desiredStateChanged, { generation: 0 }).catch(unlessNotFound(undefined));
  }

  /** Whom the workflows of this queue run for, as Temporal's list has them: it lags by a moment. */
  async *running(): AsyncGenerator<RegistryRef> {
    const query = `WorkflowType = 'mcpRegistry' AND ExecutionStatus = 'Running' AND TaskQueue = '${this.taskQueue}'`;
    for await (const { workflowId } of this.client.workflow.list({ query })) {
      const registry = registryOfWorkflow(workflowId);
      if (registry) yield registry;
    }
  }

  async isRunning(registry: RegistryRef): Promise<boolean> {
    return (await this.statusOf(registry)) === 'RUNNING';
  }

  /** Of the workflow, as Temporal calls it; undefined when there is none. */
  private async statusOf(registry: RegistryRef): Promise<string | undefined> {
    return (await this.handle(registry).describe().catch(unlessNotFound(undefined)))?.status.name;
  }

  /** Tells the workflow, if there is one, what is seen of the registry's Deployment. Twice the same changes nothing. */
  async workloadChanged(registry: RegistryRef, workload: WorkloadFacts): Promise<void> {
    await this.handle(registry).signal(workloadChanged, workload).catch(unlessNotFound(undefined));
  }

  /** What the workflow knows of its registry; undefined when there is none. */
  async findFacts(registry: RegistryRef): Promise<RegistryFacts | undefined> {
    return this.handle(registry).query(status).catch(unlessNotFound(undefined));
  }
}
