import type { CheckedRegistryRef, RegistryRef } from '#domain/registry-ref.js';
import type { StatusEvent } from '#domain/status/status-events.js';
import type { ResourceStore } from '#domain/resource-store.js';
import type { ProvisionWorld } from '../provision/provision-world.js';

/** What the activities beside the workflows work with. */
export interface RegistryWorld {
  readonly resources: ResourceStore;
  /** Shorter sync intervals are raised to this. */
  readonly minSyncIntervalMs: number;
  /** Emits Events about a registry; must not reject. */
  announce?(registry: RegistryRef, events: readonly StatusEvent[]): Promise<void>;
  /** Removes what was provisioned for a registry. Idempotent. */
  unprovision(registry: CheckedRegistryRef): Promise<void>;
  /** Present where a server of its own is run for each registry. */
  readonly provisioning?: Omit<ProvisionWorld, 'resources'>;
}
