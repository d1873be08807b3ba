import type { RegistryRef } from '#domain/registry-ref.js';
import type { StatusEvent } from '#domain/status/status-events.js';
import type { ResourceStore } from '#domain/resource-store.js';
import type { ProvisionWorld } from '../provision/provision-world.js';

/** What the activities beside the workflows work with. */
export interface RegistryWorld {
  readonly resources: ResourceStore;
  /** Shorter sync intervals are raised to this. */
  readonly minSyncIntervalMs: number;
  /** Tells people what has happened to a registry; it must not fail. */
  announce?(registry: RegistryRef, events: readonly StatusEvent[]): Promise<void>;
  /** Removes what was provisioned for a registry. Safe to repeat. */
  unprovision(registry: RegistryRef): Promise<void>;
  /** Where a server of its own is run for each registry; absent where one stands already. */
  readonly provisioning?: Omit<ProvisionWorld, 'resources'>;
}
