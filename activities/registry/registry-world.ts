import type { CheckedRegistryRef, RegistryRef } from '#domain/registry-ref.js';
import type { StatusEvent } from '#domain/status/status-events.js';
import type { ResourceStore } from '#domain/resource-store.js';
import type { ProvisionWorld } from '../provision/provision-world.js';

/** The dependencies of the activities that run in the worker of the workflows. */
export interface RegistryWorld {
  readonly resources: ResourceStore;
  /** Minimum sync interval. Shorter intervals are raised to it. */
  readonly minSyncIntervalMs: number;
  /** Emits Events about a registry; must not reject. */
  announce?(registry: RegistryRef, events: readonly StatusEvent[]): Promise<void>;
  /** Removes what was provisioned for a registry. Idempotent. */
  unprovision(registry: CheckedRegistryRef): Promise<void>;
  /** Present if each registry gets a server of its own. */
  readonly provisioning?: Omit<ProvisionWorld, 'resources'>;
}
