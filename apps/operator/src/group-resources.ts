import { RegistryError } from '#domain/registry-error.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { RegistryResource, ResourceStore } from '#domain/resource-store.js';
import type { RegistryStatus } from '#domain/status/registry-status.js';

/** Whether the registries of a namespace belong to a Temporal namespace. Throws while that is unknown. */
export type Owns = (namespace: string) => boolean;

/**
 * The MCPRegistries of one Temporal namespace. Registries of other groups do not exist for its worker, so a client that
 * can schedule activities in a Temporal namespace reaches only the registries of that group. If a registry moves to
 * another group, its old workflow therefore completes as if the registry had been deleted, without touching it.
 */
export class GroupResources implements ResourceStore {
  constructor(
    private readonly all: ResourceStore,
    private readonly owns: Owns,
  ) {}

  async findRegistry(ref: RegistryRef): Promise<RegistryResource | undefined> {
    const found = await this.all.findRegistry(ref);
    // Checked last, because it throws while the group is unknown, which does not matter for a registry that does not
    // exist.
    return found && this.owns(ref.namespace) ? found : undefined;
  }

  async secretKey(namespace: string, name: string, key: string): Promise<Uint8Array> {
    if (this.owns(namespace)) return this.all.secretKey(namespace, name, key);
    throw new RegistryError('SecretNotFound', `namespace ${namespace} belongs to another Temporal group`);
  }

  async referenceVersion(kind: 'ConfigMap' | 'Secret', namespace: string, name: string): Promise<string | undefined> {
    return this.owns(namespace) ? this.all.referenceVersion(kind, namespace, name) : undefined;
  }

  async readStatus(ref: RegistryRef): Promise<RegistryStatus | undefined> {
    return this.owns(ref.namespace) ? this.all.readStatus(ref) : undefined;
  }

  async writeStatus(ref: RegistryRef, status: RegistryStatus): Promise<boolean> {
    return this.owns(ref.namespace) && (await this.all.writeStatus(ref, status));
  }

  async release(ref: RegistryRef): Promise<void> {
    if (await this.findRegistry(ref)) await this.all.release(ref);
  }
}
