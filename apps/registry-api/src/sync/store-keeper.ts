import type { Logger } from 'pino';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { Store } from '#domain/sync.js';
import type { ServedWorkflows } from '#temporal/served-workflows.js';

const CHECK_EVERY_MS = 30_000;

/** The workflows of the registries that are stored here. */
interface KeptWorkflows extends Pick<ServedWorkflows, 'openStore' | 'liveStores'> {
  /** Begins a workflow anew that broke off. In a cluster that is up to the operator. */
  revive?(registry: RegistryRef): Promise<void>;
}

/**
 * Makes sure that the workflows know the store that stands here: announced once when the process starts, and again
 * whenever a workflow has dropped it, as one does that found nobody to take its tasks, or was begun anew.
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

  /** Announces the store to the workflow of this registry, unless this process did so before. Safe to repeat. */
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
        this.logger.warn({ registry, err }, 'could not ask a workflow for its stores');
      }
    }
  }
}
