import { RegistryError } from '#domain/registry-error.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { ReferencedObjects } from '#domain/resource-store.js';
import type { ServerSpec } from './server-config.js';

/** A registry as read by the process that syncs it. */
export interface WantedRegistry {
  readonly spec: ServerSpec;
  /** The counter of the edits of the spec. */
  readonly generation: number;
  /** Value of the sync-trigger annotation. */
  readonly triggerToken: string | undefined;
}

/** The spec of a registry is not valid. It may be older than the spec that the workflow refers to, which is valid. */
export class InvalidSpec extends RegistryError {
  constructor(
    faults: string,
    /** Generation of the invalid spec. */
    readonly generation: number,
  ) {
    super('ValidationFailed', faults, 'stop');
  }
}

/** Reads what a process that syncs registries needs: the registries, and the objects that they refer to. */
export interface SyncResources extends ReferencedObjects {
  /**
   * Returns undefined if the registry is gone, or if its name now belongs to another uid. Throws `InvalidSpec` with the
   * errors in its spec.
   */
  findWanted(ref: RegistryRef): Promise<WantedRegistry | undefined>;
}
