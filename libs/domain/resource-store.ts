import type { RegistryRef } from './registry-ref.js';
import type { RegistryStatus } from './status/registry-status.js';
import type { ServerObject } from './server-object.js';

/** The current state of an MCPRegistry in its store. */
export interface RegistryResource {
  readonly ref: RegistryRef;
  /** Counter of the edits of the spec. */
  readonly generation: number;
  /** Whether deletion was requested, so that everything created for the registry has to be removed. */
  readonly deleting: boolean;
  /** Value of the annotation `toolhive.stacklok.dev/sync-trigger`. */
  readonly triggerToken: string | undefined;
  /** The spec as written by the user, not yet parsed with the schema of libs/spec. */
  readonly spec: unknown;
}

/** The store of MCPRegistries, for planning and reporting: the Kubernetes API, or a directory of manifests. */
export interface ResourceStore {
  /** Returns undefined if the registry is gone, or if its name now belongs to another uid. */
  findRegistry(ref: RegistryRef): Promise<RegistryResource | undefined>;

  /** Throws a RegistryError `SecretNotFound` or `KeyNotFound`. */
  secretKey(namespace: string, name: string, key: string): Promise<Uint8Array>;

  /**
   * Returns a keyed hash of the object's content, from which the content cannot be guessed; undefined while the object
   * does not exist.
   */
  referenceVersion(kind: 'ConfigMap' | 'Secret', namespace: string, name: string): Promise<string | undefined>;

  /** Returns the last written status, so that transition times are preserved; undefined before the first one. */
  readStatus(ref: RegistryRef): Promise<RegistryStatus | undefined>;

  /** Returns false and has no effect once the resource is gone. */
  writeStatus(ref: RegistryRef, status: RegistryStatus): Promise<boolean>;

  /** Allows the deletion of a resource after everything created for it has been removed. Idempotent. */
  release(ref: RegistryRef): Promise<void>;
}

/** The objects that the spec of a registry refers to, as read by the process that syncs it. */
export interface ReferencedObjects {
  /** Returns a key from `data` or `binaryData`. Throws a RegistryError `ConfigMapNotFound` or `KeyNotFound`. */
  configMapKey(namespace: string, name: string, key: string): Promise<Uint8Array>;

  /** Returns all keys of a ConfigMap with their values. Throws a RegistryError `ConfigMapNotFound`. */
  configMapKeys(namespace: string, name: string): Promise<ReadonlyMap<string, Uint8Array>>;

  /** Throws a RegistryError `SecretNotFound` or `KeyNotFound`. */
  secretKey(namespace: string, name: string, key: string): Promise<Uint8Array>;

  /**
   * Returns the MCP servers that run in the namespace; none if the cluster does not have these kinds. Absent outside of
   * a cluster.
   */
  serverObjects?(namespace: string): Promise<readonly ServerObject[]>;
}
