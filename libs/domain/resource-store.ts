import type { RegistryRef } from './registry-ref.js';
import type { RegistryStatus } from './status/registry-status.js';
import type { ServerObject } from './server-object.js';

/** One MCPRegistry as its store holds it now. */
export interface RegistryResource {
  readonly ref: RegistryRef;
  /** Counts the edits of the spec. */
  readonly generation: number;
  /** Deletion was asked for; what stands around it is to be torn down. */
  readonly deleting: boolean;
  /** Value of the annotation `toolhive.stacklok.dev/sync-trigger`. */
  readonly triggerToken: string | undefined;
  /** The spec as the user wrote it, to be parsed with the schema of libs/spec. */
  readonly spec: unknown;
}

/** The store of MCPRegistries, as planning and reporting see it: the Kubernetes API, or a directory of manifests. */
export interface ResourceStore {
  /** Undefined when it is gone, or when the name now belongs to another uid. */
  findRegistry(ref: RegistryRef): Promise<RegistryResource | undefined>;

  /** Throws a RegistryError `SecretNotFound` or `KeyNotFound`. */
  secretKey(namespace: string, name: string, key: string): Promise<Uint8Array>;

  /** A keyed hash of the object's content, from which the content cannot be guessed; undefined while there is no such object. */
  referenceVersion(kind: 'ConfigMap' | 'Secret', namespace: string, name: string): Promise<string | undefined>;

  /** The status that was last written, so that transition times survive; undefined before the first. */
  readStatus(ref: RegistryRef): Promise<RegistryStatus | undefined>;

  /** False, and without effect, once the resource is gone. */
  writeStatus(ref: RegistryRef, status: RegistryStatus): Promise<boolean>;

  /** Everything around a resource under deletion is gone; the resource itself may go. Idempotent. */
  release(ref: RegistryRef): Promise<void>;
}

/** The part of a registry that its server knows. */
export type SyncedResource = Pick<RegistryResource, 'ref' | 'generation' | 'spec' | 'triggerToken'>;

/** The same for who syncs, beside a store: what is wanted, and what that refers to. */
export interface SyncResources {
  /** Undefined when it is gone, or when the name now belongs to another uid. */
  findRegistry(ref: RegistryRef): Promise<SyncedResource | undefined>;

  /** Throws a RegistryError `ConfigMapNotFound` or `KeyNotFound`. `data` and `binaryData` alike. */
  configMapKey(namespace: string, name: string, key: string): Promise<Uint8Array>;

  /** Returns all keys of a ConfigMap with their values. Throws a RegistryError `ConfigMapNotFound`. */
  configMapKeys(namespace: string, name: string): Promise<ReadonlyMap<string, Uint8Array>>;

  /** Throws a RegistryError `SecretNotFound` or `KeyNotFound`. */
  secretKey(namespace: string, name: string, key: string): Promise<Uint8Array>;

  /** The MCP servers that run in the namespace; none where the cluster has no such kinds. Absent outside of a cluster. */
  serverObjects?(namespace: string): Promise<readonly ServerObject[]>;
}
