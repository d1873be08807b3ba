import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { Reason } from '#domain/reasons.js';
import { registryWorkflowId } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { STORE_DELAYED, STORE_OPENED, STORES_MEMO, SYNC_NOW, SyncRefused } from '#domain/server-messages.js';
import type { StartedSync, SyncNowRequest } from '#domain/server-messages.js';
import type { Store } from '#domain/sync.js';
import type { ServerTrouble } from '#domain/workload.js';

/**
 * The workflows of MCPRegistries, as the servers of these registries use them. Handles have only the workflow id,
 * because a run id is outdated after the first continue-as-new.
 */
export class ServedWorkflows {
  constructor(protected readonly client: Client) {}

  /** Notifies the workflow, if there is one, that a store accepts tasks. */
  async openStore(registry: RegistryRef, store: Store): Promise<void> {
    await this.handle(registry).signal<[Store]>(STORE_OPENED, store).catch(unlessNotFound(undefined));
  }

  /** Notifies the workflow, if there is one, of the reason why a running server has no store yet. */
  async delayStore(registry: RegistryRef, trouble: ServerTrouble<Reason>): Promise<void> {
    await this.handle(registry)
      .signal<[ServerTrouble<Reason>]>(STORE_DELAYED, trouble)
      .catch(unlessNotFound(undefined));
  }

  /**
   * Returns the stores that the workflow syncs to, or none if no workflow is running. They are read from the workflow's
   * memo, which does not need a worker.
   */
  async liveStores(registry: RegistryRef): Promise<readonly Store[]> {
    const described = await this.handle(registry).describe().catch(unlessNotFound(undefined));
    if (described?.status.name !== 'RUNNING') return [];
    return (described.memo?.[STORES_MEMO] ?? []) as readonly Store[];
  }

  /** Starts a sync of one source, or of all. Resolves when the syncs have started. Throws `SyncRefused`. */
  async syncNow(
    registry: RegistryRef,
    source?: string,
    trigger?: SyncNowRequest['trigger'],
  ): Promise<readonly StartedSync[]> {
    const request: SyncNowRequest = { ...(source !== undefined && { source }), ...(trigger && { trigger }) };
    return this.handle(registry)
      .executeUpdate<readonly StartedSync[], [SyncNowRequest]>(SYNC_NOW, { args: [request] })
      .catch((error: unknown) => {
        if (!(error instanceof WorkflowUpdateFailedError)) throw error;
        throw new SyncRefused(error.cause?.message ?? error.message, { cause: error });
      });
  }

  protected handle(registry: RegistryRef): WorkflowHandle {
    return this.client.workflow.getHandle(registryWorkflowId(registry));
  }
}

export function unlessNotFound<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof WorkflowNotFoundError) return instead;
    throw error;
  };
}
