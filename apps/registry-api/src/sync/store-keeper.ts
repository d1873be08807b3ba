import type { Logger } from 'pino';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { Store } from '#domain/sync.js';
import type { ServedWorkflows } from '#temporal/served-workflows.js';

const CHECK_EVERY_MS = 30_000;

/** The workflows of the registries in this store. */
export interface KeptWorkflows extends Pick<ServedWorkflows, 'openStore' | 'liveStores'> {
  /**
   * Restarts a workflow that failed, was terminated or is missing, if its registry exists. In a cluster the operator
   * does that.
   */
  revive?(registry: RegistryRef): Promise<void>;
}

/**
 * Ensures that the workflows know this process's store. Announces it when the process starts, and again whenever a
 * workflow has dropped it, because no worker took its tasks or because the workflow was restarted. Level-triggered: it
 * compares the store with the memo of each workflow.
 */
export class StoreKeeper {
  private readonly registries = new Map<string, RegistryRef>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly workflows: KeptWorkflows,
    private readonly store: Store,
    private readonly logger: Logger,
    checkEveryMs = CHECK_EVERY_MS,
  ) {
    this.timer = setInterval(() => void this.check(), checkEveryMs).unref();
  }

  /** Announces the store to the workflow of this registry, unless this process has already done so. Idempotent. */
  async keep(registry: RegistryRef): Promise<void> {
    if (this.registries.has(registry.uid)) return;
    await this.workflows.openStore(registry, this.store);
    this.registries.set(registry.uid, registry);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async check(): Promise<void> {
    for (const registry of this.registries.values()) {
      try {
        await this.workflows.revive?.(registry);
        const known = await this.workflows.liveStores(registry);
        if (known.some(({ id }) => id === this.store.id)) continue;
        await this.workflows.openStore(registry, this.store);
      } catch (err) {
        this.logger.warn({ registry, err }, 'cannot compare the workflow with this store');
      }
    }
  }
}
