import { createHmac } from 'node:crypto';
import type { Reason } from '#domain/reasons.js';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { RegistryStatus } from '#domain/status/registry-status.js';
import type { RegistryResource, ResourceStore } from '#domain/resource-store.js';
import { keysOf, valueIn } from './config-map.js';
import type { ConfigMap } from './config-map.js';
import type { KubernetesApi } from './kubernetes-api.js';
import type { KubernetesObject } from './kubernetes-object.js';

/** The finalizer that delays the deletion of a registry until its workflow has cleaned up. */
export const FINALIZER = 'mcpregistry.toolhive.stacklok.dev/finalizer';

/** The annotations that trigger a sync, in order of precedence. The second is an older name that is still in use. */
const TRIGGER_ANNOTATIONS = ['toolhive.stacklok.dev/sync-trigger', 'toolhive.stacklok.dev/manual-sync'];

export interface RegistryObject extends KubernetesObject {
  readonly spec?: unknown;
  readonly status?: RegistryStatus;
}

interface Secret extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** Reads MCPRegistries and the objects that they refer to from the Kubernetes API, without a cache. */
export class KubernetesResourceStore implements ResourceStore {
  constructor(private readonly api: KubernetesApi) {}

  async findRegistry(ref: RegistryRef): Promise<RegistryResource | undefined> {
    const object = await this.find(ref);
    return object && toResource(object, ref);
  }

  async configMapKey(namespace: string, name: string, key: string): Promise<Uint8Array> {
    const object = await this.api.get<ConfigMap>('ConfigMap', namespace, name);
    if (!object) throw missing('ConfigMapNotFound', `ConfigMap ${namespace}/${name} does not exist: create it`);
    const value = valueIn(object, key);
    if (value) return value;
    const keys = keysOf(object);
    throw noKey(
      'ConfigMap',
      { namespace, name, key },
      keys.length > 0 ? `it has ${keys.toSorted().join(', ')}` : 'it is empty',
    );
  }

  async secretKey(namespace: string, name: string, key: string): Promise<Uint8Array> {
    const object = await this.api.get<Secret>('Secret', namespace, name);
    if (!object) throw missing('SecretNotFound', `Secret ${namespace}/${name} does not exist: create it`);
    const { data = {} } = object;
    if (Object.hasOwn(data, key)) return Buffer.from(data[key]!, 'base64');
    // Unlike for a ConfigMap, the existing keys are not listed: the status has more readers than the Secret, and the
    // keys may reveal its purpose.
    throw noKey('Secret', { namespace, name, key }, 'add it, or refer to another key');
  }

  async referenceVersion(kind: 'ConfigMap' | 'Secret', namespace: string, name: string): Promise<string | undefined> {
    return this.api.derived<ConfigMap | Secret, string>({ kind, namespace, name }, 'content version', contentVersion);
  }

  async readStatus(ref: RegistryRef): Promise<RegistryStatus | undefined> {
    const status = (await this.find(ref))?.status;
    // Without conditions, the object is new, or its status contains only fields of other writers.
    return status?.conditions ? status : undefined;
  }

  async writeStatus(ref: RegistryRef, status: RegistryStatus): Promise<boolean> {
    const object = await this.find(ref);
    if (!object) return false;
    const { apiVersion, kind } = object;
    const { name, namespace = '', resourceVersion = '' } = object.metadata;
    // The server ignores the uid when it writes a status. The resourceVersion makes it refuse the write if another
    // object now has the same name.
    await this.api.applyStatus({ apiVersion, kind, metadata: { namespace, name, resourceVersion }, status });
    return true;
  }

  release(ref: RegistryRef): Promise<void> {
    return this.api.patchFinalizers('MCPRegistry', ref, { remove: FINALIZER });
  }

  private async find({ namespace, name, uid }: RegistryRef): Promise<RegistryObject | undefined> {
    const object = await this.api.get<RegistryObject>('MCPRegistry', namespace, name);
    return object?.metadata.uid === uid ? object : undefined;
  }
}

function toResource({ metadata, spec }: RegistryObject, ref: RegistryRef): RegistryResource {
  return {
    ref,
    generation: metadata.generation ?? 0,
    deleting: metadata.deletionTimestamp !== undefined,
    triggerToken: triggerTokenOf(metadata),
    spec,
  };
}

/**
 * Maximum length of the annotation's value. A longer value is truncated, because it is copied into workflow histories
 * and the status.
 */
const TRIGGER_LIMIT = 256;

/** Returns the value of the trigger annotation, or undefined if it is absent or empty. */
export function triggerTokenOf({ annotations = {} }: KubernetesObject['metadata']): string | undefined {
  return TRIGGER_ANNOTATIONS.map((annotation) => annotations[annotation])
    .find(Boolean)
    ?.slice(0, TRIGGER_LIMIT);
}

/**
 * Returns a keyed hash of the data, without labels and annotations. The hash ends up in workflow histories, which more
 * people may read than Secrets. Its key is the uid, so that a weak password cannot be guessed from the hash
 * (docs/decisions/0013).
 */
function contentVersion({ metadata, ...object }: ConfigMap | Secret): string {
  const binaryData = 'binaryData' in object ? object.binaryData : undefined;
  const content = [object.data, binaryData].map((values) => Object.entries(values ?? {}).toSorted());
  return createHmac('sha256', metadata.uid ?? '')
    .update(JSON.stringify(content))
    .digest('hex')
    .slice(0, 32);
}

function missing(reason: Reason, message: string): RegistryError {
  return new RegistryError(reason, message);
}

function noKey(
  kind: 'ConfigMap' | 'Secret',
  { namespace, name, key }: { namespace: string; name: string; key: string },
  remedy: string,
): RegistryError {
  return missing('KeyNotFound', `${kind} ${namespace}/${name} has no key "${key}": ${remedy}`);
}
