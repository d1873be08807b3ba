import type { RegistryRef } from '#domain/registry-ref.js';
import type { ResourceStore } from '#domain/resource-store.js';

/** What the activities beside the workflows work with. */
export interface RegistryWorld {
  readonly resources: ResourceStore;
  /** Shorter sync intervals are raised to this. */
  readonly minSyncIntervalMs: number;
  /** Removes what was provisioned for a registry. Safe to repeat. */
  unprovision(registry: RegistryRef): Promise<void>;
}
